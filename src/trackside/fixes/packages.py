"""Fixes for packages, lock files, languages and images."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_PYTHON: Final = (
    fix(
        "pip-no-match",
        "No version of a Python package fits",
        "See that the name and version exist, that they support this Python and platform, and that the index which has "
        "them is named; yanked and pre-release versions are only taken when asked for by number.",
        r"No matching distribution found for |Could not find a version that satisfies the requirement",
        unless=r"(?i)externally-managed",
    ),
    fix(
        "python-too-old",
        "A package needs another version of Python",
        "Raise `python-version` of the set-up step, or pin the last version of the package that supports this one.",
        r"requires a different Python: |requires-python|Requires-Python [<>=~]",
    ),
    fix(
        "pip-hashes",
        "A downloaded package is not the one in the requirements",
        "Make the hashes anew with the tool that wrote the file, after you made sure why the package changed: another "
        "mirror, another platform's wheel, or tampering.",
        r"DO NOT MATCH THE HASHES|ERROR: Hashes are required in --require-hashes|ERROR: In --require-hashes",
    ),
    fix(
        "python-conflict",
        "The wanted versions of packages exclude each other",
        "Loosen or raise one of the pins that the message names; a constraints file or a lock file keeps the result "
        "that works.",
        r"have conflicting dependencies|has conflicting dependencies|No solution found when resolving"
        r"|version solving failed|SolverProblemError|ResolutionImpossible|UnsatisfiableError|LibMambaUnsatisfiableError"
        r"|nothing provides .{1,80} needed by|Could not solve for environment specs",
    ),
    fix(
        "conda-package-missing",
        "No channel of conda has the package",
        "Check its name and version, and name the channel that has it (such as `-c conda-forge`); not every package is "
        "made for every platform.",
        r"PackagesNotFoundError|ResolvePackageNotFound",
    ),
    fix(
        "python-externally-managed",
        "The system's Python takes no packages",
        "Make a virtual environment first (`python -m venv`, or the set-up step for Python), and install into that.",
        r"externally-managed-environment|No virtual environment found",
    ),
    fix(
        "python-module-missing",
        "A Python module is not installed",
        "Add its package to what the job installs, and see that the step runs with the same Python and environment as "
        "the installation. Own code is found only where it is installed or on PYTHONPATH.",
        r"ModuleNotFoundError: No module named|: No module named '?[\w.]+'?$",
        "module-missing",
    ),
    fix(
        "python-name-missing",
        "A name cannot be imported",
        "The installed version of the module does not have it: it was renamed or moved, versions of two packages do "
        "not fit together, or an import goes in a circle. Compare the version with one that works.",
        r"ImportError: cannot import name ",
    ),
    fix(
        "wheel-build",
        "A Python package could not be built",
        "The cause stands above this line. Mostly no wheel exists for this Python or platform: use a version that has "
        "one, or install the compiler and headers that it needs.",
        None,
        "wheel",
        "uv-wheel",
        "setup-py",
    ),
)

_NODE: Final = (
    fix(
        "npm-peer-conflict",
        "npm packages exclude each other",
        "Raise the package whose peer does not fit, as the lines below say. `--legacy-peer-deps` only hides it.",
        r"npm (?:ERR!|error) (?:code )?ERESOLVE|unable to resolve dependency tree|ERR_PNPM_PEER_DEP_ISSUES",
    ),
    fix(
        "npm-package-missing",
        "An npm package or version does not exist",
        "Check its name and version. A private package needs the registry in .npmrc and a token that may read it.",
        r"npm (?:ERR!|error) (?:code )?(?:E404|ETARGET|ENOVERSIONS)|error Couldn't find package"
        r"|ERR_PNPM_NO_MATCHING_VERSION"
        r"|ERR_PNPM_FETCH_404",
    ),
    fix(
        "node-version",
        "A package needs another version of Node",
        "Raise `node-version` of the set-up step to what the message asks for.",
        r"npm (?:ERR!|error) (?:code )?EBADENGINE|The engine \"node\" is incompatible|ERR_PNPM_UNSUPPORTED_ENGINE"
        r"|Unsupported engine",
    ),
    fix(
        "node-module-missing",
        "A Node module is not installed",
        "Add it to package.json and the lock file and install before this step. For own files, see that they are "
        "built, and that the path has the case of the file.",
        r"(?:Error: |Error \[ERR_MODULE_NOT_FOUND\]: )Cannot find (?:module|package) '"
        r"|Module not found: Error: Can't resolve",
        "node-module-missing",
    ),
    fix(
        "lockfile-out-of-sync",
        "The lock file does not fit the list of packages",
        "Make the lock file anew with the tool's own command, with the version that the job uses, and commit both. "
        "Changes of packages always come with their lock file.",
        r"`npm ci` can only install packages when|npm (?:ERR!|error) (?:code )?EUSAGE|ERR_PNPM_OUTDATED_LOCKFILE"
        r"|ERR_PNPM_LOCKFILE|lockfile would have been (?:modified|created)|[Ll]ockfile needs to be updated|YN0028"
        r"|pyproject\.toml changed significantly since poetry\.lock|The lockfile at `.{1,200}` needs to be updated"
        r"|the lock file .{1,300} needs to be updated|missing go\.sum entry|updates to go\.(?:mod|sum) needed"
        r"|inconsistent vendoring|frozen lockfile|Bundler could not .{0,60}frozen",
    ),
)

_SYSTEM: Final = (
    fix(
        "apt-package-missing",
        "apt does not know the package",
        "Run `apt-get update` in the same step first, and see that the package has this name in the runner's release "
        "of the system; else add its repository.",
        r"E: Unable to locate package|has no installation candidate|E: Couldn't find any package"
        r"|E: Version '.{1,120}' for '.{1,120}' was not found",
    ),
    fix(
        "apt-stale",
        "apt's list of packages is older than the mirror",
        "Run `apt-get update` right before the installation, in the same step or layer of the image.",
        r"E: Failed to fetch .{1,300} 404 |404 +Not Found \[IP: |Hash Sum mismatch|File has unexpected size",
    ),
    fix(
        "apt-repository",
        "A repository of packages is not valid any more",
        "Take the repository out of the sources or raise it to a release that is still served and signed; releases out "
        "of support move to an archive host.",
        r"E: The repository '.{1,300}' (?:does not have a Release file|is no longer signed|is not signed)|NO_PUBKEY",
    ),
    fix(
        "apt-lock",
        "Another process installs packages",
        "Wait for it with `apt-get -o DPkg::Lock::Timeout=300 …`; on self-hosted runners, see that jobs do not share "
        "the machine, and that automatic updates are off.",
        None,
        "apt-lock",
        unless=r"are you root\?|Permission denied",
    ),
    fix(
        "library-missing",
        "A shared library is not on the machine",
        "Install the package that holds it, or run in the image it was built in. Where a version of GLIBC is asked "
        "for, the program was built on a newer system: build it on the older one.",
        None,
        "library-missing",
    ),
    fix(
        "header-missing",
        "A header is not on the machine",
        "Install the development package that holds it (such as lib…-dev), or check out the submodule that it is in.",
        r"fatal error: '?[\w./+-]{1,200}'?(?: file not found|: No such file or directory)",
    ),
    fix(
        "toolchain-missing",
        "The set-up step does not have the wanted version",
        "Ask for one that exists for this runner's system and architecture; old versions are not made for new images. "
        "Quote it in YAML, as 3.10 without quotes is 3.1.",
        None,
        "toolchain",
    ),
)

_IMAGES: Final = (
    fix(
        "image-platform",
        "The image is not made for this architecture",
        "Build and push it for this platform too (`docker buildx build --platform`), or run the job on the other "
        "architecture.",
        r"no matching manifest for|exec format error|does not match the (?:specified|detected host) platform",
    ),
    fix(
        "image-missing",
        "The image or its tag does not exist",
        "Check name and tag in the registry: it was renamed, removed, or is pushed by a job that did not run. A "
        "private one needs a login.",
        r"manifest unknown|manifest for \S{1,300} not found|pull access denied|: not found: manifest|No such image: "
        r"|failed to resolve source metadata.{0,300}not found|repository \S{1,300} not found: does not exist",
    ),
    fix(
        "image-rate-limit",
        "The registry was asked for images too often",
        "Log in before the pull, which raises the limit, or keep the image in a registry of your own or a mirror.",
        None,
        "image-rate-limit",
    ),
    fix(
        "docker-unreachable",
        "The Docker daemon does not run or may not be used",
        "Use a runner with Docker and start it; in a container job mount /var/run/docker.sock, and let the job's user "
        "be in the group docker.",
        r"Cannot connect to the Docker daemon|permission denied while trying to connect to the Docker daemon"
        r"|is the docker daemon running",
    ),
    fix(
        "container-name-taken",
        "A container of this name is there already",
        "A job before left it: remove it first (`docker rm -f name`), or start it with --rm and a name of its own for "
        "each run.",
        r"Conflict\. The container name",
    ),
)

FIXES: Final[tuple[Fix, ...]] = (*_PYTHON, *_NODE, *_SYSTEM, *_IMAGES)
