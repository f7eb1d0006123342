"""Rules for what was asked wrongly: checkout and merges, secrets and permissions, commands and arguments."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_GIT: Final = (
    rule(
        "cherry-pick",
        Cause.CONFIGURATION,
        82,
        r"^(?:[\w.]+(?:Error|Exception): )?(?:Command|command) .{1,400}\b(?:cherry-pick|rebase|merge|am"
        r"|apply)\b.{0,300}returned non-zero exit (?:code|status) ",
        "error",
        "fail",
        last=True,
    ),
    rule(
        "out-of-sync",
        Cause.CONFIGURATION,
        81,
        r"is out of sync with the corresponding|(?:PR|branch|stack) .{0,120}(?:is not mergeable"
        r"|cannot be (?:merged|rebased)|is out of date with)",
        "error",
        "fail",
        "cannot",
        "conflict",
    ),
    rule(
        "merge-conflict",
        Cause.CONFIGURATION,
        80,
        r"^CONFLICT \(|^error: could not apply [0-9a-f]{7}|Automatic merge failed; fix conflicts"
        r"|error: Your local changes to the following files would be overwritten|^error: patch failed: "
        r"|patch does not apply|^Hunk #\d+ FAILED|merge conflict (?:between|in|detected)",
        "conflict",
        "could not apply",
        "error: ",
        "fail",
        "error",
    ),
    rule(
        "git-reference",
        Cause.CONFIGURATION,
        79,
        r"fatal: (?:couldn't find remote ref|reference is not a tree|bad (?:object|revision)|invalid reference"
        r"|ambiguous argument|remote error: upload-pack: not our ref|Not a valid object name|No such ref"
        r"|your current branch|Needed a single revision"
        r"|refusing to merge unrelated|destination path|pathspec|no submodule mapping"
        r"|'.{1,200}' is already checked out)|error: pathspec '.{1,200}' did not match"
        r"|error: Server does not allow request for unadvertised object"
        r"|A branch or tag with the name '.{1,200}' could not be found"
        r"|Unable to find current revision in submodule|did not contain [0-9a-f]{7,40}|remote: error: "
        r"|! \[(?:remote )?rejected\]",
        "fatal: ",
        "error: ",
        "could not be found",
        "unable to find",
    ),
    rule(
        "git-repository",
        Cause.CONFIGURATION,
        54,
        r"fatal: (?:not a git repository|detected dubious ownership|No names found|unsafe repository)",
        "fatal: ",
        last=True,
    ),
    rule(
        "git-access",
        Cause.CONFIGURATION,
        80,
        r"Permission denied \(publickey|fatal: Authentication failed|fatal: could not read (?:Username|Password)"
        r"|remote: (?:Repository not found|Permission to .{1,200} denied|Invalid username)"
        r"|Host key verification failed|The requested URL returned error: 40[13]|repository '.{1,300}' not found",
        "denied",
        "fatal",
        "not found",
        "fail",
        "error",
    ),
    rule(
        "checkout-dirty",
        Cause.CONFIGURATION,
        74,
        r"(?i)(?:checkout|working (?:tree|directory|copy)|repo(?:sitory)?) (?:is |was |left )*dirty"
        r"|left local git repository checkout dirty|uncommitted changes (?:found|detected|after)",
        "dirty",
        "error",
    ),
)

_ACCESS: Final = (
    rule(
        "credentials-action",
        Cause.CONFIGURATION,
        86,
        r"Credentials could not be loaded|Could not load credentials from any providers|Could not assume role"
        r"|Not authorized to perform sts|The security token included in the request is (?:expired|invalid)"
        r"|ExpiredToken\b|Request ARN is invalid|No OpenIDConnect provider|Username and password required"
        r"|google-github-actions/auth failed|Error: Login failed with",
        "could not",
        "error",
        "fail",
        last=True,
    ),
    rule(
        "credentials-missing",
        Cause.CONFIGURATION,
        64,
        r"^(?:[\w.]+\.)?(?:NoCredentialsError|PartialCredentialsError"
        r"|ClientError: An error occurred \((?:AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken"
        r"|403)\w*\))|^fatal error: Unable to locate credentials|^Unable to locate credentials\."
        r"|could not find default credentials",
        "error",
        "unable to",
        "could not",
    ),
    rule(
        "bad-credentials",
        Cause.CONFIGURATION,
        80,
        r"Bad credentials\b|HttpError: (?:Not Found|Requires authentication|Unauthorized)|gh: (?:Not Found"
        r"|Bad credentials|Must have|To use GitHub CLI)|GH_TOKEN environment variable|denied: (?:permission"
        r"|requested access"
        r"|installation)|insufficient_scope|error: denied|permission_denied: "
        r"|Error response from daemon: .{0,200}(?:unauthorized|denied|no basic auth)",
        "error",
        "denied",
        "fail",
        "not found",
        "cannot",
        last=True,
    ),
    rule(
        "refused",
        Cause.CONFIGURATION,
        57,
        r"(?i)authentication (?:failed|required)|\bunauthorized: |401 (?:Client Error|Unauthorized)"
        r"|403 (?:Client Error"
        r"|Forbidden)|HTTP 40[13]\b|AccessDenied\b|Access Denied",
        "error",
        "denied",
        "fail",
        "cannot",
        last=True,
    ),
    rule(
        "secret-missing",
        Cause.CONFIGURATION,
        68,
        r"(?i)^(?=.{0,400}(?:error|fail|fatal|unable|cannot|must|please))(?:(?!warn).){0,200}(?:secret|token"
        r"|credential|api key)s? [`'\"$]?[\w{}.-]{0,60}[`'\"]? ?(?:is |are |was |were "
        r"|must be )?(?:not (?:set|provided|found"
        r"|defined|configured)|missing|empty|required)\b(?<!(?-i:NOT set))|: parameter (?:null or )?not set"
        r"|: unbound variable$|Secret .{1,60} is required",
        "error",
        "fail",
        "not found",
        "fatal",
        "unable to",
        "cannot",
    ),
    rule(
        "variable-missing",
        Cause.CONFIGURATION,
        70,
        r"(?i)(?:environment variable|env var|variable)s? [`'\"$]?[\w{}.-]{1,60}[`'\"]? (?:is |are "
        r"|must be )?(?:not |un)set\b"
        r"|[A-Z_]{4,60} (?:environment )?variable is (?:not set|unset|missing|empty)",
        "error",
        "fail",
        "fatal",
        "cannot",
    ),
    rule(
        "unbound",
        Cause.CONFIGURATION,
        80,
        r": unbound variable$|: parameter (?:null or )?not set$|^(?:\S+: )?(?:bad substitution"
        r"|syntax error near unexpected token|unexpected EOF while looking for|syntax error: unexpected)"
        r"|: syntax error near unexpected token|: unexpected EOF while|: bad substitution",
        "unbound variable",
        "error",
    ),
)

_COMMANDS: Final = (
    rule(
        "command-not-found",
        Cause.CONFIGURATION,
        61,
        r"(?:^|: )(?:line \d+: )?[\w./@+-]{1,120}: (?:command )?not found$|: command not found\b|: not found: \S+$"
        r"|is not recognized as (?:an internal|the name of a cmdlet|a name of)|executable file not found in \$PATH"
        r"|Unable to locate executable file: |env: .{1,80}: No such file",
        "not found",
        "unable to locate",
        "no such file",
        "error",
    ),
    rule(
        "shell-no-file",
        Cause.CONFIGURATION,
        58,
        r"^(?:/\S{0,300}|\S{0,80}sh|\w[\w+.-]{0,30}|env): (?:line \d+: )?.{0,300}: (?:No such file or directory"
        r"|Permission denied|Is a directory|Not a directory|cannot execute)|(?:can't"
        r"|cannot) open file '.{1,300}': \[Errno 2\]|^(?:cp|mv|rm|cat|ls|cd|tar|chmod|mkdir|ln|find|grep|sed|unzip"
        r"|source)(?:: |\.).{0,300}(?:cannot|No such|denied|failed|Error)",
        "no such file",
        "denied",
        "cannot",
        "can't",
        "fail",
        "error",
    ),
    rule(
        "shell-permission",
        Cause.CONFIGURATION,
        57,
        r"(?:EACCES|EPERM): |: Permission denied$|PermissionError: \[Errno 13\]|Operation not permitted"
        r"|must be run as root|a password is required",
        "denied",
        "error",
        "fail",
    ),
    rule(
        "arguments",
        Cause.CONFIGURATION,
        70,
        r"^\S{1,120}: error: (?:argument |unrecognized arguments|the following arguments are required"
        r"|one of the arguments|ambiguous option|invalid choice|no such option|too few arguments)|^(?:Error"
        r"|error): (?:No such (?:option|command)|Invalid value for|Missing (?:option|argument)|Unknown (?:option"
        r"|argument|command)|unknown (?:flag|command|option)|unexpected argument|Got unexpected"
        r"|unrecognized (?:option|subcommand))|^\S{1,40}: (?:unrecognized option|invalid option|illegal option"
        r"|unknown option)",
        "error",
        "no such",
        "cannot",
    ),
    rule(
        "port-in-use",
        Cause.CONFIGURATION,
        74,
        r"(?i)address already in use|EADDRINUSE|port \d+ is (?:already )?(?:in use|occupied|not available"
        r"|being used|already allocated)|port is already allocated|Only one usage of each socket address"
        r"|Failed to bind|is used by a process already",
        "already in use",
        "error",
        "fail",
    ),
    rule(
        "container-name",
        Cause.CONFIGURATION,
        76,
        r"Conflict\. The container name|No such container: |Cannot connect to the Docker daemon"
        r"|permission denied while trying to connect to the Docker daemon|error during connect: "
        r"|OCI runtime (?:create|exec) failed|unknown or invalid runtime name|is the docker daemon running",
        "conflict",
        "no such container",
        "cannot connect",
        "denied",
        "error",
        "fail",
    ),
    rule(
        "json-yaml",
        Cause.CONFIGURATION,
        58,
        r"^(?:yaml|ruamel\.yaml|json|tomllib|tomli|toml)(?:\.\w+)*\.\w*Error|^jq: error|^parse error: "
        r"|mapping values are not allowed|^Error: YAMLException|jq: parse error",
        "error",
    ),
    rule(
        "cluster",
        Cause.CONFIGURATION,
        62,
        r"^(?:Error from server|error: (?:You must be logged in|the server doesn't have)|srun: error|sbatch: error"
        r"|slurmstepd: error|salloc: error|Unable to connect to the server)",
        "error",
        "unable to",
    ),
    rule(
        "slurm-time",
        Cause.TIMEOUT,
        86,
        r"(?:slurmstepd|srun): error: .{0,120}DUE TO TIME LIMIT|CANCELLED AT .{0,60}TIME LIMIT",
        "error",
        "cancel",
    ),
    rule(
        "label-missing",
        Cause.CONFIGURATION,
        64,
        r"(?i)(?:missing|required|requires?) (?:the |a )?[`'\"]?[\w/ -]{1,60}[`'\"]? label\b"
        r"|(?:does not|doesn't|must) have (?:the |an? |any )?[`'\"]?[\w/:. -]{1,60}[`'\"]? label\b"
        r"|PR (?:title|description|body) (?:does not|must|is)|no (?:CLA|DCO|sign-?off)|commits? (?:is|are) not signed"
        r"|missing Signed-off-by",
        "error",
        "fail",
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_GIT, *_ACCESS, *_COMMANDS)
