"""Traces sent to a collector of OpenTelemetry by OTLP over HTTP."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from trackside.errors import MissingExtraError, OutputError, UsageError
from trackside.traces.spans import Span, Trace

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import ReadableSpan

BATCH: Final = 2_000
"""Spans of one request."""
TIMEOUT_S: Final = 30.0
"""How long one request may take, tries again included."""
_PATH: Final = "/v1/traces"


class Collector:
    """Where traces are sent. ``version`` is that of this product. Raises MissingExtraError without the extra."""

    def __init__(self, endpoint: str, version: str) -> None:
        self.endpoint = traces_endpoint(endpoint)
        self._version = version
        self._exporter = _exporter(self.endpoint)

    def send(self, traces: Iterable[Trace], on_sent: Callable[[int], None] | None = None) -> tuple[int, int]:
        """How many traces and spans were taken; ``on_sent`` is told the traces until now.

        Raises OutputError where a request was not taken: what was sent before it stays sent.
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
        with _listening(reasons):
            taken = self._exporter.export(spans) is SpanExportResult.SUCCESS
        if not taken:
            why = f" ({reasons[-1]})" if reasons else ""
            msg = (
                f"The collector at {self.endpoint} did not take {len(spans):,} spans{why}; {sent:,} traces were taken "
                "before. Is it there, and does it take OTLP over HTTP?"
            )
            raise OutputError(msg)

    def _spans(self, trace: Trace) -> Iterator[ReadableSpan]:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        resource = Resource(dict(trace.resource))
        scope = InstrumentationScope("trackside", self._version)
        for span in trace.spans:
            yield _readable(span, resource, scope)


def traces_endpoint(endpoint: str) -> str:
    """The address that traces are sent to; ``/v1/traces`` is added where only a server is named.

    Raises UsageError for what is no http address.
    """
    try:
        parts = urlsplit(endpoint)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.username or parts.password:
        msg = f"--endpoint {endpoint!r}: an address such as http://localhost:4318 is understood, without a password."
        raise UsageError(msg)
    return parts._replace(path=_PATH).geturl() if parts.path in ("", "/") else endpoint


def _exporter(endpoint: str) -> OTLPSpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        msg = "Traces need the extra otel: install trackside with it, as in pip install 'trackside[otel]'."
        raise MissingExtraError(msg) from error
    return OTLPSpanExporter(endpoint=endpoint, timeout=TIMEOUT_S)


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
        self._reasons.append(" ".join(record.getMessage().split())[:300])

    def __enter__(self) -> _listening:
        self._logger.addHandler(self)
        self._logger.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagates
