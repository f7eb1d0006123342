"""The JSON of accounts, repositories and pull requests: mostly addresses."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.fake_github.clock import stamp
from tests.fake_github.job_lives import node_id
from tests.fake_github.things import Account, Pull, Repository

Body = dict[str, Any]

_ACCOUNT_URLS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_URLS = {
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}
_COUNTS = ("forks", "forks_count", "open_issues", "open_issues_count", "watchers", "watchers_count", "size")


def account(api: str, html: str, who: Account) -> Body:
    """A user, organisation or bot."""
    url = f"{api}/users/{who.login}"
    return {
        "login": who.login,
        "id": who.id,
        "node_id": node_id("U", who.id),
        "avatar_url": f"{html}/avatars/{who.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{html}/{who.login}",
        **{key: url + end for key, end in _ACCOUNT_URLS.items()},
        "type": who.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(api: str, html: str, repo: Repository, *, full: bool = False) -> Body:
    """A repository: the minimal form of run bodies, or the full one."""
    url, page = f"{api}/repos/{repo.full_name}", f"{html}/{repo.full_name}"
    body: Body = {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": account(api, html, repo.owner),
        "html_url": page,
        "description": repo.description,
        "fork": repo.fork,
        "url": url,
        **{key: url + end for key, end in _REPOSITORY_URLS.items()},
    }
    return {**body, **_rest_of_repository(repo, page)} if full else body


def _rest_of_repository(repo: Repository, page: str) -> Body:
    made = stamp(repo.created_at)
    has = ("issues", "projects", "wiki", "pages", "discussions", "downloads")
    return {
        "clone_url": f"{page}.git",
        "git_url": f"{page}.git",
        "ssh_url": f"git@localhost:{repo.full_name}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": None,
        "language": "Python",
        "license": None,
        "default_branch": repo.default_branch,
        "visibility": "private" if repo.private else "public",
        "archived": False,
        "disabled": False,
        **{f"has_{what}": True for what in has},
        **dict.fromkeys(_COUNTS, 0),
        "stargazers_count": 0,
        "network_count": 0,
        "subscribers_count": 0,
        "topics": [],
        "created_at": made,
        "updated_at": made,
        "pushed_at": made,
    }


def pull(api: str, html: str, request: Pull) -> bytes:
    """A pull request as it stands in lists."""
    base = request.base
    url, page = f"{api}/repos/{base.full_name}/pulls/{request.number}", f"{html}/{base.full_name}/pull/{request.number}"
    issue = f"{api}/repos/{base.full_name}/issues/{request.number}"
    links = {
        "self": url,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api}/repos/{base.full_name}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{api}/repos/{base.full_name}/statuses/{request.head_sha}",
    }
    names = {"self": "url", "html": "html_url"}
    closed = None if request.state == "open" else stamp(request.merged_at or request.updated_at)
    body: Body = {
        **{names.get(name, f"{name}_url"): where for name, where in links.items()},
        "id": request.id,
        "node_id": node_id("PR", base.id, request.number),
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "number": request.number,
        "state": request.state,
        "locked": False,
        "title": request.title,
        "user": account(api, html, request.author),
        "body": request.text,
        "created_at": stamp(request.created_at),
        "updated_at": stamp(request.updated_at),
        "closed_at": closed,
        "merged_at": stamp(request.merged_at) if request.merged_at else None,
        "merge_commit_sha": request.merge_commit_sha,
        **dict.fromkeys(("assignee", "milestone", "auto_merge", "active_lock_reason")),
        **{key: [] for key in ("assignees", "requested_reviewers", "requested_teams", "labels")},
        "draft": request.draft,
        "head": _end(api, html, request.head_repository, request.head_branch, request.head_sha, request.author),
        "base": _end(api, html, base, request.base_branch, request.head_sha, base.owner),
        "_links": {name: {"href": where} for name, where in links.items()},
        "author_association": "CONTRIBUTOR",
    }
    return msgspec.json.encode(body)


def _end(api: str, html: str, repo: Repository | None, branch: str, sha: str, who: Account) -> Body:
    owner = who if repo is None else repo.owner
    return {
        "label": f"{owner.login}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": account(api, html, owner),
        "repo": None if repo is None else {**repository(api, html, repo, full=True)},
    }
