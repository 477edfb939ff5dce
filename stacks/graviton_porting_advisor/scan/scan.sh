#!/usr/bin/env bash
# One scan: fetches the advisor, runs it over the source, and judges its report. It exits with the verdict's status:
# 0 passed, 1 above-max, 2 crashed, 3 unreadable, 4 nothing-scanned, 5 incomplete, 6 tool-unavailable,
# 7 jar-scanner-missing. In every case result.json has the verdict, and publish.py uploads it.
#
# From CodeBuild: CODEBUILD_SRC_DIR the source, CODEBUILD_SRC_DIR_Scan this folder, _Modules and _Libraries what Python
# imports. From the project: SCAN the settings as JSON, TOOL_REPOSITORY, TOOL_COMMIT, TARGET_OS, ISSUE_TYPES, SCAN_JARS.
# shellcheck disable=SC2153,SC2154 # the variables are those of CodeBuild and of the project
set -euo pipefail

here=$CODEBUILD_SRC_DIR_Scan
work=${SCAN_WORK:-/tmp/porting-advisor}
out=$work/out
tool=$work/tool
log=$out/scan.log
scanner=$tool/src/advisor/tools/graviton-ready-java
export SCAN_WORK=$work GIT_TERMINAL_PROMPT=0 ISSUE_TYPES=${ISSUE_TYPES:-}
rm -rf "$work"
mkdir -p "$out" "$work/home" "$work/no-java"
# CodeBuild starts in the source, where a .python-version would choose the image's python3 (through pyenv) and
# "python3 -m venv" would import modules: https://github.com/aws/aws-codebuild-docker-images/issues/513
cd "$work"
echo "scan of $SOURCE by commit $TOOL_COMMIT" >"$log"

ours() { PYTHONPATH=$CODEBUILD_SRC_DIR_Modules:$CODEBUILD_SRC_DIR_Libraries python3 "$here/$1" "${@:2}"; }

# Ends the scan without a report: RESULT WORDS.
end() {
  tail -n 20 "$log"
  status=0
  ours verdict.py failed "$1" "$2" || status=$?
  exit "$status"
}

# Uploads the files so far, because a build may be stopped or time out later. The last step tries again.
upload() { ours publish.py || echo "not uploaded yet"; }

# Runs the advisor over a folder of $work: DIRECTORY FORMAT FILE. It sees no credentials and none of this machine's
# packages: for versions that a requirements.txt leaves open it asks pip3, and an empty environment has none.
advise() {
  (
    cd "$work"
    env -i HOME="$work/home" LANG=C.UTF-8 PYTHONUTF8=1 PATH="$work/empty/bin:$java_path:/usr/bin:/bin" "${java_home[@]}" \
      "$work/venv/bin/python" -W ignore "$tool/src/porting-advisor.py" "$1" --no-progress --target-os "$TARGET_OS" \
      ${ISSUE_TYPES:+"--issue-types=$ISSUE_TYPES"} --output-format "$2" --output "$3" --log-file "$work/advisor.log"
  ) >>"$log" 2>&1
}

source=$CODEBUILD_SRC_DIR
[[ -d $source && -r $source && -x $source ]] || end unreadable "$source is not a readable folder"

python3 -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' ||
  end tool-unavailable "the advisor was tested with Python 3.11 to 3.13, but this is $(python3 --version)"

# The advisor, at one commit.
{
  git init --quiet "$tool" &&
    git -C "$tool" fetch --quiet --depth 1 "$TOOL_REPOSITORY" "$TOOL_COMMIT" &&
    git -C "$tool" checkout --quiet --detach FETCH_HEAD
} >>"$log" 2>&1 || end tool-unavailable "git fetch of $TOOL_COMMIT from $TOOL_REPOSITORY failed"
found=$(git -C "$tool" rev-parse HEAD)
[[ $found == "$TOOL_COMMIT" ]] || end tool-unavailable "$TOOL_REPOSITORY gave commit $found, not $TOOL_COMMIT"

# Its dependencies, by hash, and an empty environment.
{
  python3 -m venv "$work/venv" && python3 -m venv "$work/empty" &&
    "$work/venv/bin/pip" install --quiet --require-hashes -r "$here/build.txt" &&
    "$work/venv/bin/pip" install --quiet --require-hashes --no-build-isolation -r "$here/requirements.txt"
} >>"$log" 2>&1 || end tool-unavailable "pip install of the advisor's dependencies failed"

# Its JAR scanner. Without one the advisor silently exits with 0, so the scanner is built first and tried on a file with
# a native method. With scan_jars off, the advisor finds no java at all and builds none.
java_home=()
if [[ $SCAN_JARS == true ]]; then
  java --version >>"$log" 2>&1 || end jar-scanner-missing "there is no java 9 or newer on the PATH"
  java_path=$(dirname "$(command -v java)"):$(dirname "$(command -v mvn || echo /usr/bin/mvn)")
  [[ -z ${JAVA_HOME:-} ]] || java_home=(JAVA_HOME="$JAVA_HOME")
  mvn --batch-mode --quiet package --file "$scanner/pom.xml" >>"$log" 2>&1 ||
    end jar-scanner-missing "mvn package failed; is Maven Central reachable?"
  [[ -s $scanner/target/GravitonReadyAssessor-1.0-SNAPSHOT.jar ]] || end jar-scanner-missing "mvn built no scanner"
  mkdir -p "$work/canary"
  {
    javac -d "$work/canary-classes" "$here/Canary.java" &&
      jar --create --file "$work/canary/canary.jar" -C "$work/canary-classes" . &&
      ISSUE_TYPES='' advise canary json "$work/canary.json"
  } >>"$log" 2>&1 || end jar-scanner-missing "the scanner could not be tried"
  ours verdict.py canary "$work/canary.json" || end jar-scanner-missing "it did not find the native method in our JAR"
else
  printf '#!/bin/sh\nexit 1\n' >"$work/no-java/java"
  chmod +x "$work/no-java/java"
  java_path=$work/no-java
fi

# The source, without excluded files and without links that leave it.
ours prepare.py "$source" "$out/census.json" || end unreadable "excluded files could not be removed"
ln -s "$source" "$work/source"

for format in json html; do
  status=0
  advise source "$format" "$out/report.$format" || status=$?
  if [[ $status != 0 ]]; then
    rm -f "$out/report.$format"
    end crashed "the advisor ended with status $status"
  fi
  if [[ $format == json ]] && ! ours verdict.py whole "$out/report.json" >>"$log" 2>&1; then
    rm -f "$out/report.json"
    end crashed "the advisor left no complete report"
  fi
  upload
done

status=0
ours verdict.py judged || status=$?
exit "$status"
