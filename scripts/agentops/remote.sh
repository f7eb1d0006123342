# Sourced by its neighbours: `remote` is the repository of the workflow, which git reaches with GITHUB_TOKEN.
# The token is told to git in the environment alone, for this server alone: it is in no file and no list of processes.
shopt -s inherit_errexit
server="${GITHUB_SERVER_URL:-https://github.com}"
remote="$server/$GITHUB_REPOSITORY.git"
if [ -n "${GITHUB_TOKEN:-}" ]; then
  export GIT_CONFIG_COUNT=1
  export GIT_CONFIG_KEY_0="http.$server/.extraheader"
  GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$GITHUB_TOKEN" | base64 | tr -d '\n')"
  export GIT_CONFIG_VALUE_0
fi
export GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME='github-actions[bot]' GIT_COMMITTER_NAME='github-actions[bot]'
export GIT_AUTHOR_EMAIL='41898282+github-actions[bot]@users.noreply.github.com'
export GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"

# Ends with a title and a sentence, as an annotation.
fail() {
  echo "::error title=$1::$2" >&2
  exit 1
}

# An empty repository to work in, removed at the end; `git` means it from here on.
make_room() {
  room="$(mktemp -d)"
  trap 'rm -rf "$room"' EXIT
  mkdir "$room/tree"
  export GIT_DIR="$room/git" GIT_WORK_TREE="$room/tree"
  git init --quiet
}

# The commit that a branch is at; nothing where there is no such branch. Fails where the remote cannot be asked.
commit_of() {
  local said code=0
  git check-ref-format "refs/heads/$1" || fail 'This is no name of a branch' 'The variables of the repository name one.'
  said="$(git ls-remote --exit-code "$remote" "refs/heads/$1")" || code=$?
  if [ "$code" -eq 2 ]; then return 0; fi
  if [ "$code" -ne 0 ]; then fail 'The branch cannot be read' "$1 of $GITHUB_REPOSITORY was not told; run this again."; fi
  printf '%s' "${said%%[[:space:]]*}"
}

# Fetches a branch without its history; prints its commit.
fetch() {
  git fetch --quiet --depth=1 "$remote" "refs/heads/$1" \
    || fail 'The branch cannot be read' "$1 of $GITHUB_REPOSITORY was not sent; run this again."
  git rev-parse FETCH_HEAD
}
