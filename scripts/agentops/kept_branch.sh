#!/usr/bin/env bash
# Keeps a folder as the only commit of a branch, so that it lasts from run to run of a workflow and has no history.
#
#   kept_branch.sh restore BRANCH FOLDER     the folder as it was kept; prints commit=SHA, or commit= of no branch
#   kept_branch.sh save BRANCH FOLDER SEEN   keeps the folder, if the branch is still at SEEN (empty: not there)
#   kept_branch.sh replace BRANCH FOLDER     keeps the folder, whatever another run has kept
#
# GITHUB_REPOSITORY, GITHUB_SERVER_URL and GITHUB_TOKEN say where; only saving needs a token that may write. A branch
# that was not made by this is neither read nor replaced.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/remote.sh"

message='Kept from run to run'
largest_mib=95 # GitHub takes no file of more than 100 MiB

# Fetches a branch; prints its commit, nothing where there is no such branch.
fetch_kept() {
  local branch="$1" commit
  commit="$(commit_of "$branch")"
  if [ -z "$commit" ]; then return 0; fi
  commit="$(fetch "$branch")"
  if [ "$(git log -1 --format=%s "$commit")" != "$message" ] || git cat-file commit "$commit" | grep -q '^parent '; then
    fail 'The branch is of somebody else' "$branch of $GITHUB_REPOSITORY has other things in it: name another branch."
  fi
  printf '%s' "$commit"
}

restore() {
  local branch="$1" folder="$2" commit
  mkdir -p "$folder"
  make_room
  commit="$(fetch_kept "$branch")"
  if [ -n "$commit" ]; then
    # A link is written as a plain file: nothing leads out of the folder.
    git -c core.symlinks=false -c core.autocrlf=false --work-tree="$folder" checkout --quiet --force "$commit" -- .
  fi
  echo "commit=$commit"
}

# Makes the commit of a folder; prints it.
commit_folder() {
  local folder="$1"
  if [ -z "$(find "$folder" -type f -print -quit)" ]; then
    fail 'There is nothing to keep' "$folder is empty: what was kept stays."
  fi
  if [ -n "$(find "$folder" -type f -size "+${largest_mib}M" -print -quit)" ]; then
    fail 'This is too large for a branch' 'GitHub takes no file above 100 MiB: keep the store in an object store.'
  fi
  git -c core.autocrlf=false -c core.excludesFile=/dev/null --work-tree="$folder" -C "$folder" add --all --force -- .
  git commit-tree -m "$message" "$(git write-tree)"
}

push() {
  local branch="$1" made="$2" seen="$3" now
  if git push --quiet "--force-with-lease=refs/heads/$branch:$seen" "$remote" "$made:refs/heads/$branch"; then return 0; fi
  now="$(commit_of "$branch")"
  if [ "$now" = "$made" ]; then return 0; fi
  if [ "$now" != "$seen" ]; then
    fail 'Another run kept its own' "$branch moved since it was read and stays as it is: the next run reads again what this one read."
  fi
  fail 'The branch was not kept' "GitHub did not take $branch, as the lines above say: the next run reads again what this one read."
}

save() {
  local branch="$1" folder="$2" seen="$3" made
  made="$(commit_folder "$(cd "$folder" && pwd)")"
  push "$branch" "$made" "$seen"
  echo "commit=$made"
}

case "${1:-}" in
  restore) restore "$2" "$3" ;;
  save)
    make_room
    save "$2" "$3" "$4"
    ;;
  replace)
    make_room
    seen="$(fetch_kept "$2")"
    save "$2" "$3" "$seen"
    ;;
  *) fail 'Wrong usage' 'kept_branch.sh restore|save|replace BRANCH FOLDER [SEEN]' ;;
esac
