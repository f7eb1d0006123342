"""Rules for packages and images that could not be resolved or installed."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_PYTHON: Final = (
    rule(
        "pip-no-match",
        Cause.DEPENDENCY,
        80,
        r"ERROR: No matching distribution found for ",
        "error",
    ),
    rule(
        "pip-conflict",
        Cause.DEPENDENCY,
        80,
        r"ERROR: Cannot install .{1,400} because (?:these package versions have conflicting|of)"
        r"|ERROR: Cannot uninstall|has conflicting dependencies",
        "cannot",
        "conflict",
    ),
    rule(
        "pip-requirement",
        Cause.DEPENDENCY,
        79,
        r"ERROR: (?:Could not find a version that satisfies|ResolutionImpossible"
        r"|Package '.{1,80}' requires a different Python|Invalid requirement|Could not open requirements file"
        r"|.{1,200} is not a supported wheel|Requirements file)|ERROR: THESE PACKAGES DO NOT MATCH"
        r"|ERROR: Hashes are required|ERROR: Ignored the following|ERROR: Directory '.{1,200}' is not installable"
        r"|ERROR: In --require-hashes",
        "error: ",
    ),
    rule(
        "pip-install",
        Cause.DEPENDENCY,
        74,
        r"ERROR: (?:Could not install packages|Could not build wheels|pip's dependency resolver|Failed to install)"
        r"|error: externally-managed-environment",
        "error: ",
    ),
    rule(
        "uv-resolution",
        Cause.DEPENDENCY,
        80,
        r"No solution found when resolving|error: (?:Distribution `|No interpreter found|Failed to parse"
        r"|The lockfile at `|Unable to find lockfile|No virtual environment found|Package `|Because )"
        r"|lockfile (?:needs to be updated|is out of date)",
        "no solution found",
        "not found",
        "error",
        "fail",
    ),
    rule(
        "uv-unresolved",
        Cause.DEPENDENCY,
        80,
        r"^\s*(?:×|x) No solution found",
        "no solution found",
    ),
    rule(
        "poetry",
        Cause.DEPENDENCY,
        78,
        r"version solving failed|pyproject\.toml changed significantly since poetry\.lock|SolverProblemError"
        r"|\[ResolutionImpossible\]|Unable to find installation candidates",
        "fail",
        "error",
        "unable to",
    ),
    rule(
        "conda",
        Cause.DEPENDENCY,
        78,
        r"PackagesNotFoundError|UnsatisfiableError|ResolvePackageNotFound|LibMambaUnsatisfiableError"
        r"|CondaVerificationError|EnvironmentFileNotFound|CondaValueError|nothing provides .{1,80} needed by"
        r"|Could not solve for environment specs",
        "error",
        "not found",
        "could not",
    ),
    rule(
        "module-missing",
        Cause.DEPENDENCY,
        56,
        r"^(?:E\s+)?ModuleNotFoundError: No module named|: No module named \S+$",
        "error",
    ),
    rule(
        "node-module-missing",
        Cause.DEPENDENCY,
        57,
        r"^(?:\[?\w{0,30}\]? ?)?(?:Error: |Uncaught Error: )?Cannot find (?:module|package) '",
        "cannot",
    ),
    rule(
        "library-missing",
        Cause.DEPENDENCY,
        72,
        r"error while loading shared libraries: |cannot open shared object file|Library not loaded: "
        r"|DLL load failed|version `(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+' not found|libcudart\.so\S*: cannot",
        "error",
        "cannot",
        "not found",
        "fail",
    ),
)

_SYSTEM: Final = (
    rule(
        "apt",
        Cause.DEPENDENCY,
        78,
        r"^E: (?:Unable to locate package|Package '.{1,120}' has no installation candidate|Version '.{1,120}' for"
        r"|Unable to correct problems|Unmet dependencies|Couldn't find any package"
        r"|Sub-process .{1,80} returned an error|The repository '.{1,300}' (?:does not have|is no longer|is not))"
        r"|dpkg: error|^The following packages have unmet dependencies",
        "unable to",
        "not found",
        "error",
        "could not",
    ),
    rule(
        "apt-lock",
        Cause.CONFIGURATION,
        78,
        r"E: Could not get lock |E: Unable to (?:acquire the dpkg|lock)|dpkg was interrupted",
        "could not",
        "unable to",
        "interrupt",
    ),
    rule(
        "yum",
        Cause.DEPENDENCY,
        78,
        r"^Error: Unable to find a match|No match for argument|^Error: Failed to download metadata"
        r"|nothing provides |^No package \S+ available|ERROR: unable to select packages|^Error: Package: ",
        "error",
        "unable to",
    ),
    rule(
        "brew",
        Cause.DEPENDENCY,
        76,
        r"^Error: (?:No (?:available|similarly named) formula|\S+: (?:no bottle|Failed to download)"
        r"|Cannot install)|brew: .{1,40}not found|No such keg",
        "error",
        "no such",
    ),
    rule(
        "winget-choco",
        Cause.DEPENDENCY,
        74,
        r"The package was not found with the source|Unable to resolve dependency '"
        r"|Chocolatey installed \d+/\d+ packages\. \d+ packages failed",
        "not found",
        "unable to",
        "fail",
    ),
    rule(
        "node-packages",
        Cause.DEPENDENCY,
        78,
        r"npm (?:ERR!|error) code (?:ERESOLVE|E404|ETARGET|EINTEGRITY|EBADENGINE|EUSAGE|ENOVERSIONS|EBADPLATFORM)"
        r"|ERR_PNPM_\w+|YN0\d{3}: .{0,200}(?:error|failed|not)|error Couldn't find package"
        r"|lockfile would have been (?:modified|created)|Your lockfile needs to be updated|frozen lockfile",
        "npm err",
        "error",
        "fail",
    ),
    rule(
        "cargo-packages",
        Cause.DEPENDENCY,
        79,
        r"^error: (?:failed to select a version|failed to (?:get|load|parse) `?|no matching package"
        r"|the lock file .{1,300} needs to be updated|package `.{1,120}` cannot be built because"
        r"|failed to resolve patches)|failed to select a version for",
        "error: ",
    ),
    rule(
        "go-packages",
        Cause.DEPENDENCY,
        78,
        r"^go: .{1,300}(?:unknown revision|not found|missing go\.sum|no matching versions"
        r"|verifying .{1,200}: checksum mismatch|requires go >=|updates to go\.(?:mod|sum) needed|invalid version)"
        r"|missing go\.sum entry|no required module provides package|cannot find module providing"
        r"|inconsistent vendoring",
    ),
    rule(
        "jvm-packages",
        Cause.DEPENDENCY,
        78,
        r"Could not resolve (?:all |dependencies|artifact)|Could not (?:find artifact|transfer artifact)"
        r"|Could not find \S+:\S+:\S+",
        "could not",
    ),
    rule(
        "ruby-php-packages",
        Cause.DEPENDENCY,
        76,
        r"Could not find gem |Bundler could not find compatible versions"
        r"|Your requirements could not be resolved to an installable|Gem::\w+Error",
        "could not",
        "error",
    ),
    rule(
        "toolchain",
        Cause.DEPENDENCY,
        74,
        r"(?:error: )?toolchain '.{1,120}' (?:is not installed|does not)"
        r"|The version '.{1,80}' with architecture '.{1,40}' was not found|Unable to find (?:Node|Python|Go"
        r"|Java) version|Version .{1,60} was not found in the local cache"
        r"|could not find (?:a )?version .{1,80} (?:in|for) (?:manifest|the)"
        r"|No (?:matching )?version .{0,60}found for",
        "not found",
        "unable to find",
        "could not",
        "error",
        "unable to",
    ),
)

_IMAGES: Final = (
    rule(
        "image-missing",
        Cause.DEPENDENCY,
        84,
        r"manifest for \S{1,300} not found|manifest unknown|pull access denied|repository \S{1,300} not found"
        r"|: not found: manifest|no matching manifest for|image .{1,200} not found|failed to resolve (?:reference"
        r"|source metadata)|ErrImagePull|ImagePullBackOff|invalid reference format|name unknown",
        "not found",
        "denied",
        "error",
        "fail",
        "no such",
        last=True,
    ),
    rule(
        "image-no-such",
        Cause.DEPENDENCY,
        76,
        r"No such image: ",
        "no such image",
        last=True,
    ),
    rule(
        "helm-terraform",
        Cause.DEPENDENCY,
        60,
        r"^Error: (?:failed to (?:download|fetch) |Failed to query available provider|chart .{1,100} not found)"
        r"|INSTALLATION FAILED",
        "error",
        "fail",
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_PYTHON, *_SYSTEM, *_IMAGES)
