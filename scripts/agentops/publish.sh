#!/usr/bin/env bash
# Puts the data files of a folder into a directory of the repository, only where the main file is another than there.
#
#   publish.sh commit BASE FOLDER DIRECTORY          a commit on the branch BASE
#   publish.sh pull-request BASE FOLDER DIRECTORY    one pull request to BASE, made anew while it is open
#
# GITHUB_REPOSITORY, GITHUB_SERVER_URL and GITHUB_TOKEN say where; a pull request is opened by gh, with GH_TOKEN.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/remote.sh"

main_file='agentops-runs.json'
head='agentops-data-update'
title='Update the data of agent operations'

# Prints a commit on top of a fetched one with the files of the folder; nothing where its main file is there already.
commit_files() {
  local base="$1" folder="$2" directory="$3" file kept
  git read-tree "$base"
  kept="$(git rev-parse --quiet --verify "$base:$directory$main_file" || true)"
  if [ "$kept" = "$(git hash-object "$folder/$main_file")" ]; then return 0; fi
  # What the main file does not name any more goes.
  git ls-files -z -- "${directory}agentops-runs*.json" | git update-index -z --force-remove --stdin
  for file in "$folder"/agentops-*.json; do
    git update-index --add --cacheinfo "100644,$(git hash-object -w "$file"),$directory${file##*/}"
  done
  git commit-tree -p "$base" -m "$title" "$(git write-tree)"
}

publish_commit() {
  local branch="$1" folder="$2" directory="$3" base made
  for _ in 1 2 3; do
    base="$(fetch "$branch")"
    made="$(commit_files "$base" "$folder" "$directory")"
    if [ -z "$made" ]; then
      echo 'The data is there already.'
      return 0
    fi
    if git push --quiet "$remote" "$made:refs/heads/$branch"; then return 0; fi
    if [ "$(commit_of "$branch")" = "$base" ]; then break; fi
  done
  fail 'The data was not committed' "$branch did not take it, as the lines above say: publish as branch, pages or pull-request where it is protected."
}

publish_pull_request() {
  local branch="$1" folder="$2" directory="$3" base made open
  base="$(fetch "$branch")"
  made="$(commit_files "$base" "$folder" "$directory")"
  if [ -z "$made" ]; then
    echo 'The data is there already.'
    return 0
  fi
  git push --quiet --force "$remote" "$made:refs/heads/$head" \
    || fail 'The data was not pushed' "GitHub did not take $head, as the lines above say."
  open="$(gh pr list --repo "$GITHUB_REPOSITORY" --head "$head" --base "$branch" --state open --json number --jq length)"
  if [ "$open" -eq 0 ]; then
    gh pr create --repo "$GITHUB_REPOSITORY" --head "$head" --base "$branch" --title "$title" \
      --body 'Runs changed. This pull request is made anew at every sync in which they do, while it is open.' \
      || fail 'The pull request was not opened' 'Settings > Actions > General has to allow that workflows create pull requests.'
  fi
}

mode="${1:-}"
if [ "$#" -ne 4 ]; then fail 'Wrong usage' 'publish.sh commit|pull-request BASE FOLDER DIRECTORY'; fi
folder="$(cd "$3" && pwd)"
directory="${4#./}"
directory="${directory%/}"
if [ "$directory" = '.' ]; then directory=''; fi
case "/$directory/" in
  //?* | */../* | */./*) fail 'This is no directory of the repository' 'A variable of the repository names one, such as docs/data.' ;;
esac
directory="${directory:+$directory/}"
if [ ! -s "$folder/$main_file" ]; then fail 'There is nothing to publish' "$main_file is not there: what was published stays."; fi
make_room
case "$mode" in
  commit) publish_commit "$2" "$folder" "$directory" ;;
  pull-request) publish_pull_request "$2" "$folder" "$directory" ;;
  *) fail 'Wrong usage' 'publish.sh commit|pull-request BASE FOLDER DIRECTORY' ;;
esac
