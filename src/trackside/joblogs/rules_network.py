"""Rules for connections that failed and services that refused because they were asked too often."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_LIMITS: Final = (
    rule(
        "image-rate-limit",
        Cause.RATE_LIMIT,
        86,
        r"toomanyrequests|pull rate limit",
        "toomanyreq",
        "rate limit",
        last=True,
    ),
    rule(
        "api-rate-limit",
        Cause.RATE_LIMIT,
        85,
        r"(?i)API rate limit (?:already )?exceeded|secondary rate limit|abuse detection mechanism"
        r"|rate limit (?:was |has been |is )?(?:exceeded|reached|hit)|exceeded (?:a|the|your) .{0,40}(?:rate limit"
        r"|quota)|RateLimitError|ThrottlingException|(?:^|\s)Rate exceeded\b|RequestLimitExceeded|rate.?limit(?:ed"
        r"|ing)? by",
        "rate limit",
        "ratelimiterror",
        "exceed",
        "exception",
        "error",
        last=True,
    ),
    rule(
        "http-429",
        Cause.RATE_LIMIT,
        84,
        r"\b429\b.{0,20}(?:Client Error|Too Many Requests|status)|(?:HTTP|status|code|error|returned"
        r"|statusCode)\S{0,3}[ :=]{0,3}\(?(?:error )?429\b|Too Many Requests|ERROR 429",
        "error",
        "fail",
        "exception",
        " 429",
        last=True,
    ),
)

_FETCHING: Final = (
    rule(
        "uv-download",
        Cause.NETWORK,
        80,
        r"^error: (?:Error while fetching|Failed to (?:fetch|download)|Request failed|error sending request)",
        "error: ",
        last=True,
    ),
    rule(
        "curl",
        Cause.NETWORK,
        78,
        r"curl: \((?!2[23]\) .{0,60}write)\d{1,2}\) ",
        "error",
        "could not",
        "timed out",
        "fail",
        "refused",
        last=True,
    ),
    rule("curl-any", Cause.NETWORK, 78, r"^(?:\S{0,40} )?curl: \(\d{1,2}\) ", last=True),
    rule(
        "wget",
        Cause.NETWORK,
        76,
        r"\bERROR \d{3}: \w|wget: (?:unable to resolve|server returned error|can't connect|download timed out)"
        r"|Giving up\.$",
        "error",
        "unable to",
        "can't",
        "timed out",
        last=True,
    ),
    rule(
        "aws-transfer",
        Cause.NETWORK,
        74,
        r"^(?:fatal error: |download failed: |upload failed: |copy failed: )\S"
        r"|Could not connect to the endpoint URL|EndpointConnectionError|botocore\.exceptions\.(?:ReadTimeout"
        r"|ConnectTimeout|ConnectionClosed|HTTPClient|IncompleteRead)\w*",
        "fatal error",
        "download failed",
        "upload failed",
        "copy failed",
        "could not",
        "error",
        last=True,
    ),
    rule(
        "git-transfer",
        Cause.NETWORK,
        80,
        r"fatal: unable to access '|error: RPC failed|Could not resolve host: (?:github|gitlab)"
        r"|ssh: connect to host .{1,200}(?:timed out|refused)|Connection (?:closed|reset) by .{1,80} port 22"
        r"|kex_exchange_identification",
        "fatal",
        "error",
        "could not",
        "timed out",
        "refused",
        last=True,
    ),
    rule(
        "git-disconnected",
        Cause.NETWORK,
        77,
        r"fatal: the remote end hung up|early EOF|fetch-pack: unexpected disconnect|fatal: fetch-pack: invalid"
        r"|^fatal: clone of '.{1,300}' into submodule path",
        "fatal",
        "error",
        last=True,
    ),
    rule(
        "lfs",
        Cause.NETWORK,
        74,
        r"batch response: |Error downloading object: |Smudge error|git-lfs filter-process.{0,60}failed",
        "error",
        "fail",
        "exceed",
        last=True,
    ),
    rule(
        "apt-fetch",
        Cause.NETWORK,
        79,
        r"^E: Failed to fetch |^E: Some index files failed to download|Hash Sum mismatch"
        r"|^E: The repository .{1,200}(?:Could not connect)|Temporary failure resolving",
        "fail",
        "could not",
    ),
    rule(
        "conda-network",
        Cause.NETWORK,
        77,
        r"CondaHTTPError|CondaSSLError|Download error \(\d+\)|ChecksumMismatchError",
        "error",
    ),
    rule(
        "node-network",
        Cause.NETWORK,
        76,
        r"npm (?:ERR!|error) (?:code|errno) (?:ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ECONNREFUSED"
        r"|ERR_SOCKET_TIMEOUT|E5\d\d)|npm (?:ERR!|error) network|ERR_SOCKET_TIMEOUT",
        "npm err",
        "error",
        last=True,
    ),
    rule(
        "cargo-network",
        Cause.NETWORK,
        78,
        r"error: failed to (?:download|fetch|sync)|spurious network error|error: could not download file"
        r"|failed to download (?:from|`)",
        "error",
        "fail",
        last=True,
    ),
    rule(
        "go-network",
        Cause.NETWORK,
        70,
        r"dial tcp:? .{0,200}(?:i/o timeout|connection refused|no such host|network is unreachable)"
        r"|proxyconnect tcp|TLS handshake timeout|net/http: (?:request canceled|TLS)",
        "timeout",
        "refused",
        "no such host",
        "cancel",
        "error",
        last=True,
    ),
    rule(
        "jvm-network",
        Cause.NETWORK,
        72,
        r"Could not (?:GET|HEAD) '|Transfer failed for http|java\.net\.(?:SocketTimeout|Connect"
        r"|UnknownHost)Exception",
        "could not",
        "fail",
        "exception",
        last=True,
    ),
)

_SERVICES: Final = (
    rule(
        "registry-error",
        Cause.NETWORK,
        82,
        r"Error response from daemon: (?:Get |Head |received unexpected|error pulling|net/http|dial"
        r"|.{0,200}(?:timeout|timed out|EOF|connection reset|unexpected HTTP status|context deadline))"
        r"|failed to copy: .{0,200}(?:timeout|EOF|reset)|failed to do request: |error pulling image configuration"
        r"|unexpected status (?:code |from )",
        "error",
        "fail",
        last=True,
    ),
    rule(
        "hub",
        Cause.NETWORK,
        77,
        r"(?:huggingface_hub|hf_hub|transformers)\S*(?:LocalEntryNotFound|HfHubHTTP|OfflineMode)\w*|HfHubHTTPError"
        r"|LocalEntryNotFoundError|We couldn't connect to '?https?://huggingface"
        r"|An error happened while trying to locate the file(?:s)? on the Hub"
        r"|Consistency check failed: file should be of size|Can't load (?:the )?(?:model|tokenizer|configuration"
        r"|config|image processor|feature extractor) for|Data processing error: .{0,40}(?:CAS|Request)",
        "error",
        "can't",
        "cannot",
        "fail",
    ),
    rule(
        "hub-refused",
        Cause.CONFIGURATION,
        79,
        r"GatedRepoError|Cannot access gated repo|You are trying to access a gated repo|RepositoryNotFoundError"
        r"|401 Client Error.{0,80}huggingface|Invalid (?:username or password|user token)"
        r"|Access to model .{1,120} is restricted",
        "error",
        "cannot",
    ),
    rule(
        "python-remote",
        Cause.NETWORK,
        70,
        r"^(?:E\s+)?(?:[\w.]+\.)?(?:SSLError|ProxyError|ConnectTimeout|ReadTimeout|ReadTimeoutError"
        r"|ConnectionError|MaxRetryError|NewConnectionError|NameResolutionError|ChunkedEncodingError"
        r"|IncompleteRead|ProtocolError|HTTPError|URLError|ConnectionResetError|ClientConnectorError"
        r"|RemoteDisconnected|ServerDisconnectedError|ClientPayloadError|gaierror"
        r"|ConnectError)\b(?!.{0,300}(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]"
        r"|host='\d))(?=.{0,600}(?:https?://|host=|resolve|[Nn]ame or service|timed out|\d{3} (?:Client"
        r"|Server) Error|handshake))",
        "error",
        "timeout",
        last=True,
    ),
    rule(
        "http-status",
        Cause.NETWORK,
        68,
        r"\b5\d\d (?:Server Error|Internal Server Error|Bad Gateway|Service Unavailable"
        r"|Service Temporarily Unavailable|Gateway Time-?out)|(?:HTTP|status|code"
        r"|returned)\S{0,10}[ :=]{1,3}(?:error )?50[0234]\b|Unicorn!"
        r"|Response status code does not indicate success: 5",
        "error",
        "fail",
        "timeout",
        last=True,
    ),
    rule(
        "connection",
        Cause.NETWORK,
        52,
        r"(?i)(?:remote name could not be resolved|unable to connect to the remote server"
        r"|Temporary failure in name resolution|Name or service not known|Could not resolve host"
        r"|nodename nor servname|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|Network is unreachable|No route to host"
        r"|Connection (?:timed out|reset by peer)|ECONNRESET|ETIMEDOUT|SSL_ERROR_SYSCALL|certificate verify failed"
        r"|certificate has expired|unable to get local issuer certificate"
        r"|TLS connection was non-properly terminated)",
        "fail",
        "could not",
        "error",
        "timed out",
        "certificate verify failed",
        "terminat",
        last=True,
    ),
    rule(
        "connection-local",
        Cause.NETWORK,
        33,
        r"(?i)connection refused|ECONNREFUSED|Failed to connect to|Connection aborted|Remote end closed connection"
        r"|Max retries exceeded",
        "refused",
        "fail",
        "abort",
        "exceed",
        "error",
        last=True,
    ),
    rule(
        "download",
        Cause.NETWORK,
        58,
        r"(?i)^(?:error:? )?(?:failed|unable|could not) (?:to )?(?:download|fetch|pull|clone|retrieve"
        r"|upload)\b(?!.{0,200}(?:metric|log|report|stat|credentials|artifact))|download failed"
        r"|checksum (?:mismatch|did not match)|sha256 mismatch",
        "failed to",
        "unable to",
        "could not",
        "fail",
        "error",
        last=True,
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_LIMITS, *_FETCHING, *_SERVICES)
