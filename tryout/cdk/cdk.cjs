// The CDK CLI, loaded once for one command line after another: to load it takes longer than most commands do.
//
// Reads {"arguments": [...], "log": "file"} a line from its input, answers {"status": 0}. What the CLI prints goes to the
// log. bin/cdk does the same with one command line: it calls what `lib` exports.
"use strict";
const { closeSync, openSync, writeSync } = require("fs");
const { createInterface } = require("readline");
const answer = process.stdout.write.bind(process.stdout);
const { exec } = require(process.argv[2]);

let log = 2;
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (text, encoding, callback) => {
    writeSync(log, text);
    (typeof encoding === "function" ? encoding : callback)?.();
    return true;
  };
}

async function run(request) {
  log = openSync(request.log, "w");
  process.exitCode = 0;
  try {
    const status = await exec(request.arguments);
    return typeof status === "number" ? status : Number(process.exitCode ?? 0);
  } catch (error) {
    for (let cause = error; cause; cause = cause.cause) writeSync(log, `${cause.message ?? cause}\n`);
    return 1;
  } finally {
    closeSync(log);
    log = 2;
    process.exitCode = 0;
  }
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    answer(`${JSON.stringify({ status: await run(JSON.parse(line)) })}\n`);
  }
}

main().then(() => process.exit(0));
