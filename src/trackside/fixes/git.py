"""Fixes for git: rejected pushes, conflicts, commits and branches that are not there, submodules, large files."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_PUSHES: Final = (
    fix(
        "push-secret",
        "The push holds a secret",
        "Take the secret out of every commit of the push and revoke it. Only where it is none, follow the address in "
        "the message to let it through.",
        r"Push cannot contain secrets|push protection",
    ),
    fix(
        "push-large-file",
        "A file is too large for GitHub",
        "Take the file out of the commits, and keep it with Git LFS, as an artifact or with a release. Files over 100 "
        "MB are refused.",
        r"GH001: Large files detected|exceeds GitHub's file size limit",
    ),
    fix(
        "push-protected",
        "The branch is protected",
        "Push to another branch and open a pull request, or let the app whose token is used pass by the rule. The "
        "run's own token cannot be excepted from a required review.",
        r"GH006: Protected branch|GH013: Repository rule violations|protected branch hook declined"
        r"|Changes must be made through a pull request|push declined due to repository rule violations",
    ),
    fix(
        "push-behind",
        "The branch moved while the job ran",
        "Fetch and rebase just before the push and try again a few times, and let only one run at a time write to the "
        "branch (`concurrency`).",
        r"! \[(?:remote )?rejected\].{0,300}\((?:fetch first|non-fast-forward|stale info|cannot lock ref)"
        r"|Updates were rejected because|failed to push some refs",
        unless=r"protected branch|rule violations",
    ),
    fix(
        "nothing-to-commit",
        "There was nothing to commit",
        "Ask before the commit whether something changed, as in `git diff --cached --quiet || git commit -m …`, so "
        "that a run without news is green.",
        r"^nothing to commit, working tree clean|^nothing added to commit|^no changes added to commit",
    ),
    fix(
        "pull-request-empty",
        "There is nothing to open a pull request with",
        "The branch has no commit that its base lacks: nothing was changed, or it was merged already. Read what the "
        "step or the agent said last, and let the step end green where no change is a fine result.",
        r"No commits between \S{1,200} and \S{1,200}",
    ),
    fix(
        "git-identity",
        "git does not know who commits",
        "Set `user.name` and `user.email` with `git config` before the commit.",
        r"Please tell me who you are|unable to auto-detect email address|empty ident name|Author identity unknown"
        r"|Committer identity unknown",
    ),
)

_COMMITS: Final = (
    fix(
        "merge-conflict",
        "The changes do not fit together",
        "Rebase the branch on its base and resolve the files that are named, then push again. Generated files are best "
        "made anew instead of merged.",
        r"^CONFLICT \(|Automatic merge failed; fix conflicts|error: could not apply [0-9a-f]{7}"
        r"|patch does not apply|^error: patch failed: ",
        "cherry-pick",
    ),
    fix(
        "branch-out-of-date",
        "The branch is not what the pull request shows",
        "Update the branch from its base, or submit the stack again, so that the pull request and its commits are the "
        "same; then run the job again.",
        None,
        "out-of-sync",
    ),
    fix(
        "local-changes",
        "Changed files stand in the way of git",
        "A step before changed tracked files. Commit, stash or reset them (`git checkout -- .`) before another branch "
        "is checked out or merged.",
        r"Your local changes to the following files would be overwritten",
    ),
    fix(
        "checkout-dirty",
        "The job left files in the checkout",
        "See with `git status` which they are: commit what belongs to the repository, and name what the build makes in "
        ".gitignore.",
        None,
        "checkout-dirty",
    ),
    fix(
        "history-too-short",
        "The checkout holds too few commits",
        "Set `fetch-depth: 0` at `actions/checkout`, or fetch the base branch: by default only the newest commit is "
        "there.",
        r"fatal: ambiguous argument '.{1,200}': unknown revision|fatal: bad (?:revision|object)|no merge base"
        r"|fatal: .{1,200}: no merge base|fatal: Needed a single revision|shallow update not allowed"
        r"|fatal: No names found, cannot describe anything|not a valid object name: '?origin/",
    ),
    fix(
        "branch-missing",
        "A branch, tag or commit is not there",
        "It was deleted, renamed or force-pushed since the run began. Check out `github.sha`, or the branch that is "
        "there now; after a merge end the job instead.",
        r"couldn't find remote ref|A branch or tag with the name '.{1,200}' could not be found"
        r"|fatal: reference is not a tree|not our ref|error: pathspec '.{1,200}' did not match"
        r"|fatal: invalid reference: |Server does not allow request for unadvertised object",
        unless=r"(?i)submodule",
    ),
    fix(
        "submodule",
        "A submodule cannot be checked out",
        "See that .gitmodules names it with an address that the token may read, and that the commit it points to was "
        "pushed. For private ones give the checkout a token and `submodules: recursive`.",
        r"(?i)no (?:url found for )?submodule (?:path|mapping)|into submodule path"
        r"|Unable to (?:find current revision|checkout .{1,80}) in submodule"
        r"|Fetched in submodule path .{1,300}did not contain",
    ),
    fix(
        "unsafe-repository",
        "git does not trust the folder's owner",
        "The job's user is not the owner of the checkout, as in containers: run `git config --global --add "
        'safe.directory "$GITHUB_WORKSPACE"` in the job first.',
        r"detected dubious ownership|fatal: unsafe repository",
    ),
    fix(
        "repository-missing",
        "The folder is no git repository",
        "Run `actions/checkout` before this step, in the same job, and see that `working-directory` lies within it. In "
        "a container without git the checkout is only an archive: install git first.",
        r"fatal: not a git repository",
    ),
    fix(
        "lfs-quota",
        "The budget of Git LFS is used up",
        "Buy more, or download fewer objects: leave `lfs: true` away where the job does not need them, and cache "
        ".git/lfs.",
        r"over its data quota|exceeded its LFS budget",
    ),
)

FIXES: Final[tuple[Fix, ...]] = (*_PUSHES, *_COMMITS)
