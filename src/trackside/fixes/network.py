"""Fixes for connections: names, certificates, servers that do not answer or are asked too often."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_OWN_FAULT: Final = ("test", "lint", "build", "accuracy", "performance", "configuration")

FIXES: Final[tuple[Fix, ...]] = (
    fix(
        "certificate",
        "A certificate is not trusted",
        "Install ca-certificates, and behind a proxy its root certificate too (SSL_CERT_FILE, REQUESTS_CA_BUNDLE, "
        "NODE_EXTRA_CA_CERTS). Do not switch the check off.",
        r"(?i)certificate verify failed|certificate has expired|unable to get local issuer certificate"
        r"|self[- ]signed certificate|server certificate verification failed|x509: certificate",
    ),
    fix(
        "host-name",
        "A host name cannot be resolved",
        "Check the name for a typo. Where it is right, the resolver failed: run the job again, and on self-hosted "
        "runners and in containers look at their name servers.",
        r"(?i)Could not resolve host|Temporary failure in name resolution|Temporary failure resolving"
        r"|Name or service not known|unable to resolve host|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)"
        r"|dial tcp: lookup .{1,200}(?:no such host"
        r"|timeout)"
        r"|remote name could not be resolved|nodename nor servname",
        not_for=_OWN_FAULT,
    ),
    fix(
        "server-not-up",
        "The job's own server did not answer",
        "Find out why in the server's own output: it ended, or was not up yet. Wait for its health page instead of a "
        "fixed time, and print its log when it does not come up.",
        r"(?i)(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])\S{0,60}.{0,300}(?:connection refused|ECONNREFUSED"
        r"|Max retries exceeded)"
        r"|Health check failed\. Server|ECONNREFUSED (?:127\.0\.0\.1|::1)",
        "server-start",
        "server-start-tail",
        "own-server-gone",
    ),
    fix(
        "too-many-requests",
        "A service was asked too often",
        "Wait as long as `Retry-After` says before another try, ask with a token where that raises the limit, and keep "
        "what was downloaded.",
        r"(?i)\b429\b.{0,20}Too Many Requests|Too Many Requests",
        "http-429",
        not_for=_OWN_FAULT,
        general=True,
    ),
    fix(
        "download-missing",
        "What should be downloaded is not there",
        "The address is gone or wrong: check it, and the version within it. Trying again does not help.",
        r"curl: \(22\) The requested URL returned error: (?:404|410)|\bERROR 404: Not Found"
        r"|404 Client Error: Not Found",
        not_for=("test", "lint"),
    ),
    fix(
        "download-refused",
        "A server refused the download",
        "It wants a login or another token, or refuses this network. Check the token that is sent, and whether the "
        "address still is open to all.",
        r"curl: \(22\) The requested URL returned error: 40[13]|\bERROR 40[13]: |40[13] Client Error",
        not_for=("test", "lint"),
        general=True,
    ),
    fix(
        "connection-dropped",
        "A connection or a service failed for a while",
        "Run the job again. Let the command try a few times, further and further apart (`curl --retry 5 "
        "--retry-all-errors`, "
        "pip `--retries`), and cache what is always the same.",
        r"(?i)Connection (?:reset by peer|timed out)|ECONNRESET|ETIMEDOUT|TLS handshake timeout|i/o timeout"
        r"|\b50[234] (?:Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out)"
        r"|The requested URL returned error: 5\d\d|unexpected HTTP status: 5|Read timed out",
        "curl",
        "curl-any",
        "wget",
        "git-transfer",
        "git-disconnected",
        "registry-error",
        "uv-download",
        "apt-fetch",
        "conda-network",
        "node-network",
        "cargo-network",
        "go-network",
        "jvm-network",
        "aws-transfer",
        "python-remote",
        "http-status",
        "connection",
        "download",
        unless=r"(?i)localhost|127\.0\.0\.1|0\.0\.0\.0|error: 4\d\d\b|ERROR 4\d\d\b|\b4\d\d Client Error"
        r"|40[134] (?:Forbidden|Unauthorized|Not Found)|status code 4\d\d|does not exist|checksum|sha256|credentials"
        r"|occurred \((?:4\d\d|AccessDenied|NoSuch\w{1,20})\)|curl: \((?:1|2|3|4|23|26|27|37|77)\)",
        not_for=_OWN_FAULT,
        general=True,
    ),
)
