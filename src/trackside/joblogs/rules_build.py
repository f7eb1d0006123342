"""Rules for compilers, linkers and build tools."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_SOURCE: Final = (
    r"\.(?:c|cc|cpp|cxx|c\+\+|cu|cuh|h|hh|hpp|hxx|inl|inc|m|mm|hip|cl|metal|S|s|proto|f90|F90|ipp|tcc|dir)\b"
)

_COMPILERS: Final = (
    rule(
        "compiler-error",
        Cause.BUILD,
        81,
        r"^\s*(?:In file .{1,200}: )?[^\s:][^:\n]{0,400}"
        + _SOURCE
        + r":\d+(?::\d+)?: (?:fatal )?error: (?!.*clang-format)(?!.*-warnings-as-errors\])",
        "error: ",
        last=True,
    ),
    rule(
        "msvc-error",
        Cause.BUILD,
        81,
        r"^\s*\S.{0,400}\(\d+(?:,\d+)?\): (?:fatal )?error [CD]\d{4}\b",
        "error c",
        "error d",
        last=True,
    ),
    rule(
        "nvcc-error",
        Cause.BUILD,
        81,
        r"^\s*\S{1,400}\(\d+\): (?:catastrophic )?error(?: #\d+(?:-D)?)?: ",
        "error",
        last=True,
    ),
    rule(
        "compiler-fatal",
        Cause.BUILD,
        79,
        r"^(?:\S{0,200}(?:clang|gcc|g\+\+|cc1plus|c\+\+|nvcc|hipcc|icpx|cl|rustc|ptxas|nvlink|swiftc)(?:\.exe"
        r"|-\d+)? *(?:: )?)(?:fatal\s*: |fatal error: |error: |error *: )"
        r"(?!linker command failed)(?!Killed)|internal compiler error|^nvcc fatal",
        "error",
        "fatal",
        last=True,
    ),
    rule("rust-error", Cause.BUILD, 80, r"^error\[E\d{4}\]: ", "error[e"),
    rule(
        "typescript-error",
        Cause.BUILD,
        80,
        r"\.[cm]?tsx?(?:\(\d+,\d+\): |:\d+:\d+ - )error TS\d+: |^error TS\d+: ",
        "error ts",
    ),
    rule(
        "go-build",
        Cause.BUILD,
        76,
        r"^(?:\./)?[\w./-]{1,200}\.go:\d+:\d+: (?:undefined: |cannot use |imported and not used"
        r"|declared and not used|syntax error|too many arguments|not enough arguments|missing return"
        r"|invalid operation|\S+ redeclared|no required module|could not import|assignment mismatch)",
        "undefined",
        "cannot",
        "error",
        "could not",
        "not found",
    ),
    rule(
        "java-error",
        Cause.BUILD,
        78,
        r"\.(?:java|kt|scala):(?:\[?\d+(?:[,:]\d+)?\]?):? (?:error: |cannot find symbol)"
        r"|^\[ERROR\] .{0,300}\.(?:java|kt|scala):\[|^e: file:///",
        "error",
        "cannot",
    ),
    rule("swift-error", Cause.BUILD, 78, r"\.swift:\d+:\d+: error: ", "error: "),
    rule(
        "csharp-error",
        Cause.BUILD,
        78,
        r"\.(?:cs|fs|vb|csproj|vcxproj)(?:\(\d+(?:,\d+)*\))? ?: error [A-Z]{2,6}\d+: |\berror (?:MSB|NETSDK|CS"
        r"|FS)\d{4}: ",
        "error",
    ),
    rule(
        "cython-error",
        Cause.BUILD,
        78,
        r"^\s*(?:Error compiling Cython file|[\w/.-]+\.pyx:\d+:\d+: )",
        "error compiling",
        "error",
    ),
    rule(
        "cargo-build",
        Cause.BUILD,
        52,
        r"^error: (?:could not compile|failed to run custom build command|linking with `|failed to parse manifest"
        r"|unused|expected |cannot find |no matching package)",
        "error: ",
    ),
    rule(
        "android-gradle",
        Cause.BUILD,
        56,
        r"^(?:FAILURE: Build failed with an exception|> Task :\S+ FAILED|\* What went wrong:)"
        r"|^Execution failed for task",
        "fail",
        "error",
    ),
    rule(
        "wheel",
        Cause.BUILD,
        78,
        r"ERROR: Failed building (?:wheel|editable) for |ERROR: Failed to build installable wheels"
        r"|^error: legacy-install-failure",
        "failed building",
        "failed to build",
        "error: legacy",
    ),
    rule(
        "uv-wheel",
        Cause.BUILD,
        77,
        r"(?:Failed to build|Failed to download and build|Failed to prepare distributions)(?: `|$)"
        r"|The build backend returned an error",
        "failed to",
        "returned an error",
    ),
)

_LINKERS: Final = (
    rule(
        "linker",
        Cause.BUILD,
        79,
        r"undefined reference to|[Uu]ndefined symbols? for architecture|(?:ld(?:\.lld|\.gold|\.bfd)?|lld|mold"
        r"|wild)(?:\.exe)?: (?:error: |fatal |cannot find |undefined|(?:library|framework) not found"
        r"|symbol\(s\) not found|warning: cannot find entry symbol)"
        r"|error LNK\d{4}|multiple definition of `|relocation truncated to fit|LNK1\d{3}: |nvlink (?:error|fatal)",
        "undefined",
        "error",
        "cannot find",
        "fatal",
        last=False,
    ),
    rule("symbol-missing", Cause.BUILD, 62, r"(?:ImportError: .{0,300})?undefined symbol: ", "undefined symbol"),
)

_TOOLS: Final = (
    rule("cmake-error", Cause.BUILD, 76, r"^\s*(?:[│|]\s*)?CMake Error(?: at |:| in )", "cmake error"),
    rule(
        "meson-error",
        Cause.BUILD,
        74,
        r"^\S{0,200}meson\.build:\d+:\d+: ERROR: |^ERROR: (?:Dependency|Program|Compiler|Include) .{0,200}not found",
        "error",
    ),
    rule(
        "configure-error",
        Cause.BUILD,
        72,
        r"^configure: error: |^autoreconf: error|^\*\*\* \[.{0,80}\] configure",
        "error",
    ),
    rule(
        "bazel-error",
        Cause.BUILD,
        74,
        r"^ERROR: \S{1,300}/BUILD(?:\.bazel)?:\d+:\d+: |^ERROR: (?:Analysis of target|Skipping|no such (?:target"
        r"|package))|^ERROR: Error (?:loading|evaluating|computing)",
        "error: ",
    ),
    rule("buck-error", Cause.BUILD, 70, r"^BUILD FAILED|Action failed: \S+//|^Failed to build '", "fail"),
    rule(
        "docker-build",
        Cause.BUILD,
        58,
        r"ERROR: failed to (?:build|solve): |^ERROR: process \"|executor failed running|dockerfile parse error"
        r"|failed to (?:read|compute|calculate) (?:dockerfile|cache key)"
        r"|The command '.{1,400}' returned a non-zero code",
        "error",
        "failed",
        "dockerfile parse error",
    ),
    rule(
        "sphinx",
        Cause.BUILD,
        72,
        r"Warning, treated as error|^\S.{0,300}\.(?:rst|md|py|ipynb)(?::\S{0,160})?: ?(?:ERROR|CRITICAL|SEVERE): "
        r"|^Sphinx error:|ExtensionError",
        "error",
        "fail",
    ),
    rule(
        "docs-link",
        Cause.BUILD,
        60,
        r"(?i)broken (?:link|reference)s? (?:found|detected)|^\s*(?:\S+ )?\[(?:404|ERROR)\] https?://"
        r"|\d+ dead links found|\bERROR: \d+ dead link",
        "error",
        "not found",
        "fail",
    ),
    rule(
        "make-target",
        Cause.BUILD,
        55,
        r"^(?:make|gmake)(?:\[\d+\])?: \*\*\* (?:No rule to make target|No targets specified|missing separator)"
        r"|\*\*\* missing separator",
        "error",
        "fail",
    ),
    rule("make-no-rule", Cause.BUILD, 72, r"No rule to make target|^\S*Makefile:\d+: \*\*\* (?!\[)", "error"),
    rule(
        "xcode", Cause.BUILD, 60, r"^\*\* (?:BUILD|TEST|ARCHIVE) FAILED \*\*|^xcodebuild: error: |^❌ ", "fail", "error"
    ),
    rule(
        "protobuf",
        Cause.BUILD,
        72,
        r"^\S+\.proto:\d+:\d+: |^protoc(?:-gen-\S+)?: (?:error|.*not found)|--\w+_out: protoc",
        "error",
        "fail",
        "not found",
    ),
    rule("docs-summary", Cause.BUILD, 46, r"^build finished with problems"),
    rule("sccache", Cause.BUILD, 61, r"^sccache: (?:error|caused by)", "error"),
    rule(
        "docs-warning",
        Cause.BUILD,
        47,
        r"^(?:/|[A-Z]:)?[^\s:]{1,300}(?::docstring of [\w.]{1,200})?:\d*: WARNING: ",
    ),
    rule(
        "cmake-failed",
        Cause.BUILD,
        40,
        r"^-- Configuring incomplete, errors occurred|^\*\*\* CMake build failed"
        r"|^error: command '.{0,200}' failed with exit",
        "error",
        "fail",
    ),
    rule(
        "setup-py",
        Cause.BUILD,
        45,
        r"^error: (?:metadata-generation-failed|subprocess-exited-with-error)"
        r"|Getting requirements to build wheel did not run successfully"
        r"|Preparing metadata .{0,40} did not run successfully",
        "error: ",
        "fail",
    ),
    rule(
        "webpack",
        Cause.BUILD,
        70,
        r"^ERROR in (?:\./|\S+\.[jt]sx?)|Module not found: Error: |Failed to compile\.|\[vite\].{0,60}error"
        r"|✘ \[ERROR\]|RollupError|error during build:",
        "error",
        "fail",
        "not found",
    ),
    rule(
        "bundle",
        Cause.BUILD,
        60,
        r"^(?:error|ERROR): (?:failed to (?:compile|assemble|link)|compilation (?:failed|terminated|aborted))",
        "fail",
        "error",
        "abort",
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_COMPILERS, *_LINKERS, *_TOOLS)
