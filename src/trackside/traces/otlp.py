"""Traces sent to a collector of OpenTelemetry by OTLP over HTTP."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from trackside.errors import MissingExtraError, OutputError, UsageError
from trackside.traces.spans import Span, Trace

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import ReadableSpan
    from requests import Response, Session  # deptry: ignore[DEP003]

BATCH: Final = 2_000
"""Spans of one request."""
TIMEOUT_S: Final = 30.0
"""How long one request may take, tries again included, where the environment does not say."""
_PATH: Final = "/v1/traces"
_MOST_TEXT: Final = 300
_TIMEOUTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_CREDENTIALS: Final = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
)


class Collector:
    """Where traces are sent. ``version`` is that of this product. Raises MissingExtraError without the extra."""

    def __init__(self, endpoint: str, version: str) -> None:
        self.endpoint = traces_endpoint(endpoint)
        self._version = version
        self._answers = _Answers()
        self._exporter = _exporter(self.endpoint, self._answers)

    def send(self, traces: Iterable[Trace], on_sent: Callable[[int], None] | None = None) -> tuple[int, int]:
        """How many traces and spans were taken; ``on_sent`` is told the traces until now.

        Raises OutputError where a request was not taken, or not all of it: what was sent before it stays sent.
        """
        sent = spans = 0
        for batch in _batches(traces):
            ready = [span for trace in batch for span in self._spans(trace)]
            self._export(ready, sent)
            sent, spans = sent + len(batch), spans + len(ready)
            if on_sent is not None:
                on_sent(sent)
        return sent, spans

    def close(self) -> None:
        """Ends the connection."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _export(self, spans: list[ReadableSpan], sent: int) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        reasons: list[str] = []
        self._answers.clear()
        with _listening(reasons):
            taken = self._exporter.export(spans) is SpanExportResult.SUCCESS
        if not taken:
            why = f" ({reasons[-1]})" if reasons else ""
            msg = (
                f"The collector at {self.endpoint} did not take {len(spans):,} spans{why}; {sent:,} traces were taken "
                "before. Is it there, and does it take OTLP over HTTP?"
            )
            raise OutputError(msg)
        if self._answers.rejected > 0:
            why = f" ({self._answers.message})" if self._answers.message else ""
            msg = (
                f"The collector at {self.endpoint} rejected {self._answers.rejected:,} of {len(spans):,} spans{why}; "
                f"{sent:,} traces were taken before."
            )
            raise OutputError(msg)

    def _spans(self, trace: Trace) -> Iterator[ReadableSpan]:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        resource = Resource(dict(trace.resource))
        scope = InstrumentationScope("trackside", self._version)
        for span in trace.spans:
            yield _readable(span, resource, scope)


class _Answers:
    """What a collector said of the spans that it took, which the exporter does not read."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forgets what was said."""
        self.rejected = 0
        self.message = ""

    def hear(self, response: Response, *_: object, **__: object) -> None:
        """Remembers how many spans an answer rejects, and why; one that cannot be read rejects none."""
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # deptry: ignore[DEP003]
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

        self.clear()
        if response.status_code != 200 or "json" in response.headers.get("content-type", "").lower():
            return
        answer = ExportTraceServiceResponse()
        try:
            answer.ParseFromString(response.content)
        except DecodeError:
            return
        self.rejected = answer.partial_success.rejected_spans
        self.message = _cut(answer.partial_success.error_message)


def traces_endpoint(endpoint: str, said_by: str = "--endpoint") -> str:
    """The address that traces are sent to; ``/v1/traces`` is added where only a server is named.

    Raises UsageError for what is no http address, with ``said_by`` for its name.
    """
    try:
        parts = urlsplit(endpoint)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.username or parts.password:
        msg = f"{said_by} {endpoint!r}: an address such as http://localhost:4318 is understood, without a password."
        raise UsageError(msg)
    return parts._replace(path=_PATH).geturl() if parts.path in ("", "/") else endpoint


def _exporter(endpoint: str, answers: _Answers) -> OTLPSpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        msg = "Traces need the extra otel: install trackside with it, as in pip install 'trackside[otel]'."
        raise MissingExtraError(msg) from error
    session = _session()
    if session is not None:
        session.hooks["response"].append(answers.hear)
    timeout = None if any(map(os.environ.get, _TIMEOUTS)) else TIMEOUT_S
    return OTLPSpanExporter(endpoint=endpoint, timeout=timeout, session=session)


def _session() -> Session | None:
    """A session for the exporter, as the environment's provider of credentials makes it.

    None where there is no such provider: the exporter says so when it looks for it.
    """
    from requests import Session  # deptry: ignore[DEP003]

    named = next(filter(None, map(os.environ.get, _CREDENTIALS)), None)
    if named is None:
        return Session()
    for provider in entry_points(group="opentelemetry_otlp_credential_provider", name=named):
        made = provider.load()()
        return made if isinstance(made, Session) else None
    return None


def _cut(text: str) -> str:
    """Words of a collector or the exporter on one line of bounded length."""
    return " ".join(text.split())[:_MOST_TEXT]


def _readable(span: Span, resource: object, scope: object) -> ReadableSpan:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    trace_id = int(span.trace_id, 16)

    def context(span_id: str) -> SpanContext:
        return SpanContext(trace_id, int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        name=span.name,
        context=context(span.span_id),
        parent=None if span.parent_id is None else context(span.parent_id),
        resource=resource,  # type: ignore[arg-type]
        attributes=span.attributes,
        kind=SpanKind.SERVER if span.kind == "server" else SpanKind.INTERNAL,
        status=Status(StatusCode.UNSET if span.error is None else StatusCode.ERROR, span.error),
        start_time=span.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=scope,  # type: ignore[arg-type]
    )


def _batches(traces: Iterable[Trace]) -> Iterator[list[Trace]]:
    """Traces whose spans go into one request; a trace is never cut."""
    batch: list[Trace] = []
    held = 0
    for trace in traces:
        if batch and held + len(trace.spans) > BATCH:
            yield batch
            batch, held = [], 0
        batch.append(trace)
        held += len(trace.spans)
    if batch:
        yield batch


class _listening(logging.Handler):  # noqa: N801 - a context, as in "with listening"
    """Keeps what the exporter logs instead of raising, and keeps it from stderr."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._reasons = reasons
        self._logger = logging.getLogger("opentelemetry")
        self._propagates = self._logger.propagate

    def emit(self, record: logging.LogRecord) -> None:
        self._reasons.append(_cut(record.getMessage()))

    def __enter__(self) -> _listening:
        self._logger.addHandler(self)
        self._logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagates
