"""Fixes for what may not be done: permissions, tokens, secrets, registries, limits of GitHub."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_GITHUB: Final = (
    fix(
        "pull-request-not-permitted",
        "Workflows may not open pull requests here",
        'Allow it under Settings, Actions, General ("Allow GitHub Actions to create and approve pull requests"), or '
        "use the token of a GitHub App.",
        r"GitHub Actions is not permitted to create or approve pull requests",
    ),
    fix(
        "workflow-file-permission",
        "The token may not change workflow files",
        "The run's own token never may. Push with a GitHub App or a fine-grained token that has the permission "
        "`workflows`, or leave the files in .github/workflows out of the commit.",
        r"refusing to allow an? .{1,80} to create or update workflow",
    ),
    fix(
        "id-token-permission",
        "The job may not ask for an identity token",
        "Add `id-token: write` to `permissions` of the job, and `contents: read`, as naming one permission takes the "
        "others away. A called workflow gets it only if the calling job has it too.",
        r"ACTIONS_ID_TOKEN_REQUEST_(?:URL|TOKEN)|does not have `?id-token",
    ),
    fix(
        "token-permission",
        "The run's token lacks a permission",
        "Name what the job writes under `permissions`, such as `contents: write`, `pull-requests: write` or "
        "`issues: write`. In runs of forks and of Dependabot the token only reads: do that part in a `workflow_run` "
        "workflow.",
        r"Resource not accessible by integration",
    ),
    fix(
        "personal-token-permission",
        "The personal token lacks a permission",
        "Give the fine-grained token this repository and the permission of the call that failed, or a classic one its "
        "scope; in an organization with single sign-on it has to be authorised there.",
        r"Resource not accessible by personal access token|Must have admin rights to Repository"
        r"|refusing to allow a Personal Access Token|Your token has not been granted the required scopes",
        unless=r"to create or update workflow",
    ),
    fix(
        "gh-token-missing",
        "The command gh has no token",
        "Set `GH_TOKEN: ${{ github.token }}` under `env` of the step; in a composite action hand it in as an input.",
        r"set the GH_TOKEN environment variable|gh auth login|populate the GH_TOKEN environment variable",
    ),
    fix(
        "bad-credentials",
        "GitHub does not take the token",
        "It has expired, was revoked, or the secret holds something else (a space, a newline, another server's token). "
        "Make a new one and set the secret again.",
        r"\bBad credentials\b|(?:HTTP 401|HttpError).{0,40}Requires authentication",
    ),
    fix(
        "secondary-rate-limit",
        "GitHub was asked too much at once",
        "Make fewer calls at the same time, pause a second between calls that write, and wait as long as `Retry-After` "
        "says before another try.",
        r"(?i)secondary rate limit|abuse detection mechanism",
    ),
    fix(
        "api-rate-limit",
        "The hourly limit of GitHub calls is used up",
        "The run's own token has 1,000 calls an hour for the whole repository. Ask for pages of 100, keep what does "
        "not change, run less often, or use the token of a GitHub App.",
        r"(?i)API rate limit (?:already )?exceeded",
    ),
)

_GIT: Final = (
    fix(
        "push-denied",
        "The token may not push to this repository",
        "Add `contents: write` to `permissions` of the job and let the checkout keep its credentials. To another "
        "repository, or where a run should follow on the push, use the token of a GitHub App or a deploy key.",
        r"remote: Permission to \S{1,200} denied to|Write access to repository not granted",
    ),
    fix(
        "ssh-key-missing",
        "The SSH key is not taken",
        "Give the checkout its `ssh-key`, or start ssh-agent with a deploy key of that repository; or use https with "
        "a token instead of the address git@….",
        r"Permission denied \(publickey",
    ),
    fix(
        "ssh-host-unknown",
        "The SSH host is not known",
        "Add the host's key to ~/.ssh/known_hosts in a step before, from what the host publishes.",
        r"Host key verification failed",
    ),
    fix(
        "repository-not-readable",
        "A repository is not found, or the token may not see it",
        "The run's own token sees this repository only. For another private one give the checkout, the submodules or "
        "the package manager a token that may read it.",
        r"remote: Repository not found|fatal: repository '.{1,300}' not found",
    ),
    fix(
        "git-credentials-missing",
        "git has no credentials for the address",
        "Give the step a token: let the checkout keep its credentials (`persist-credentials`), or set the address with "
        "a token in it. Passwords of accounts are not taken.",
        r"fatal: (?:could not read (?:Username|Password) for|Authentication failed for)|terminal prompts disabled",
    ),
    fix(
        "git-refused",
        "The server refused git",
        "The token may not do this: for a push add `contents: write` to `permissions`, for a private repository use a "
        "token that may read it.",
        r"(?:fatal|error): .{0,300}The requested URL returned error: 40[13]",
        general=True,
    ),
)

_SERVICES: Final = (
    fix(
        "registry-package-permission",
        "The token may not write the package",
        "Add `packages: write` to `permissions` of the job, log in to ghcr.io with `${{ github.actor }}` and the run's "
        "token, and link the package to this repository with write access.",
        r"denied: (?:permission_denied: |installation not allowed to )|permission_denied: write_package",
    ),
    fix(
        "registry-login",
        "The container registry wants a login",
        "Log in before the pull or push (`docker/login-action`), with the registry's own host name; see that the "
        "secrets are not empty and that the image's name begins with an account that you may write to.",
        r"denied: requested access to the resource is denied|unauthorized: (?:authentication required"
        r"|incorrect username)"
        r"|no basic auth credentials|insufficient_scope: authorization failed|Username and password required"
        r"|Error response from daemon: .{0,200}(?:unauthorized|403 Forbidden)",
    ),
    fix(
        "oidc-trust",
        "The cloud does not trust this workflow",
        "Compare the trust policy of the role with what the job presents: the subject holds repository, branch or "
        "environment, and the audience has to be the one that the action asks for.",
        r"(?:Could not assume role|Not authorized to perform sts:AssumeRoleWithWebIdentity"
        r"|No OpenIDConnect provider|No matching federated identity record found|AADSTS70021)",
    ),
    fix(
        "cloud-credentials-expired",
        "The cloud credentials have expired",
        "Ask for credentials just before they are used, for as long as the step takes, or ask again within the job.",
        r"(?i)ExpiredToken\b|security token included in the request is expired",
    ),
    fix(
        "cloud-credentials",
        "No cloud credentials were found",
        "Run the action that gets them in the same job before this step, and see that its inputs and secrets are not "
        "empty; with OpenID Connect the job needs `id-token: write`. Runs of forks get none.",
        None,
        "credentials-action",
        "credentials-missing",
        general=True,
    ),
    fix(
        "secret-empty",
        "A secret or variable that the step needs is not set",
        "Create it under Settings, Secrets and variables, in the environment that the job names, and hand it to the "
        "step under `env`. Runs of forks and of Dependabot get no secrets of the repository.",
        r"(?i)\b[A-Z][A-Z0-9_]{2,60}(?:_TOKEN|_KEY|_SECRET|_PASSWORD|_PAT)\b.{0,40}\b(?:is |are )?(?:not |un)set\b"
        r"|Secret .{1,60} is required, but not provided",
        "secret-missing",
        "variable-missing",
        unless=r"unbound variable$|parameter (?:null or )?not set$",
        general=True,
    ),
)

FIXES: Final[tuple[Fix, ...]] = (*_GITHUB, *_GIT, *_SERVICES)
