"""Programs that stand for a lane and for the synthesizer: they answer at once, and write down what they were asked."""

LANE = """
import json, pathlib, signal, sys
folder = pathlib.Path(sys.argv[1])
def say(**message):
    print(json.dumps(message), flush=True)
if (folder.parent / "refuse").exists():
    say(error="port 1 is in use")
    sys.exit(1)
say(show="starting")
say(ready={"AWS_ENDPOINT_URL": folder.name})
while line := sys.stdin.readline():
    trial = json.loads(line)
    (folder / "trials").open("a").write(trial["slug"] + " " + trial["variant"] + "\\n")
    if (folder.parent / "die").exists():
        sys.exit("out of memory")
    if (folder.parent / "hang").exists():
        signal.pause()
    say(show="cdk deploy")
    say(synthesize={"slug": trial["slug"]})
    assembly = json.loads(sys.stdin.readline())
    report = {"slug": trial["slug"], "variant": trial["variant"], "stack": trial["stack"], "deployed": True}
    step = {"step": "asks", "ok": True, "evidence": "real-code", "detail": assembly["made"]}
    say(report={**report, "diff_empty": True, "destroyed_clean": True, "scenario": [step], "steps_not_run": []})
"""

SYNTHESIZER = """
import json, sys
while line := sys.stdin.readline():
    request = json.loads(line)
    answer = {"made": request["slug"]}
    if request["slug"] == "broken":
        answer = {"error": "KeyError: 'settings'"}
    print(json.dumps(answer), flush=True)
"""
