"""What coding agents say in the log of a job: words, tools, turns, tokens and costs, as far as they print them."""

from __future__ import annotations

import re
from collections import deque
from typing import Any, Final

import msgspec

from trackside.runlogs.agent_events import AgentEvent, read_event
from trackside.runlogs.agent_footers import read_footer
from trackside.runlogs.findings import AgentKind, AgentOutput
from trackside.runlogs.lines import LogLine, shown

MOST: Final = 20
"""So many sessions of agents in a job are kept; the others are counted."""
FIRST, LAST = 30, 50
"""So many lines of a session are kept."""
MOST_CHARACTERS: Final = 300
"""Of each line."""
_MOST_DOCUMENT_LINES: Final = 2000
_MOST_DOCUMENT_BYTES: Final = 512 * 1024
_RECENT: Final = 40
_MOST_ENGINES: Final = 5
_BEGINNINGS: Final[tuple[tuple[re.Pattern[str], AgentKind], ...]] = (
    (re.compile(r"(?:\[[^\]]{10,40}\] )?OpenAI Codex v\d"), "codex"),
    (re.compile(r"YOLO mode is enabled\.|Loaded cached credentials\."), "gemini"),
    (re.compile(r"(?:\S{20,40} \[INFO\] )?Starting Copilot CLI: \d"), "copilot"),
)
_CLAUDE: Final = re.compile(r"Running Claude (?:Code via SDK|with prompt from file: )")
_ENGINE: Final = re.compile(r"\s{2,8}(?:GH_AW_ENGINE_ID|GH_AW_INFO_ENGINE_ID): \"?([a-z][\w-]{1,40})")
_MARK: Final = re.compile(r".{0,200}<!-- gh-aw-agentic-workflow: .{1,200}?, engine: ([a-z][\w-]{1,40})")
_COPILOT_STEP: Final = re.compile(r"(?i)copilot|processing request")
_CODEX_TOKENS: Final = re.compile(r"(?:\[[^\]]{10,40}\] )?tokens used:? ?([\d,]{1,20})?$")
_CODEX_MODEL: Final = re.compile(r"model: (\S{1,100})$")
_CODEX_TOOL: Final = re.compile(r"(?:\[[^\]]{10,40}\] )?(?:exec|tool) \S|exec$")
_WHOLE: Final = re.compile(r"[\d,]{1,20}$")
_DOCUMENT: Final = re.compile(r"\s{1,8}\"(?:type|response|session_id|stats)\": ")


class _Session:
    """What is known of a session so far."""

    def __init__(self, agent: AgentKind, line: LogLine, *, is_text: bool) -> None:
        self.agent: AgentKind = agent
        self.section = line.section
        self.is_text = is_text
        self.first = self.last = line
        self.values: dict[str, Any] = {}
        self._head: list[str] = []
        self._tail: deque[str] = deque(maxlen=LAST)
        self._count = 0

    def say(self, line: LogLine, *texts: str) -> None:
        """Lines that the session prints."""
        self.last = line
        for text in texts:
            self._count += 1
            kept = shown(text.rstrip(), MOST_CHARACTERS)
            if len(self._head) < FIRST:
                self._head.append(kept)
            else:
                self._tail.append(kept)

    def learn(self, event: AgentEvent) -> None:
        """What an event tells beside its lines."""
        for name, count in event.added.items():
            self.values[name] = self.values.get(name, 0) + count
        self.values.update(event.told)

    def record(self, job: str) -> AgentOutput:
        """The session as it is kept."""
        lines = (*self._head, *self._tail)
        values: dict[str, Any] = {}
        for name, one in self.values.items():
            values[name] = shown(one, 200) if isinstance(one, str) else one
        return AgentOutput(
            agent=self.agent,
            job=job,
            step=self.first.step,
            line_number=self.first.number,
            last_line_number=self.last.number,
            lines=lines,
            left_out=self._count - len(lines),
            **values,
        )


class AgentOutputs:
    """Takes the lines of a job's log; ``found`` are the sessions of agents in it."""

    def __init__(self, job: str) -> None:
        self.found: list[AgentOutput] = []
        self.left_out = 0
        self._job = job
        self._open: _Session | None = None
        self._document: list[LogLine] = []
        self._size = 0
        self._recent: deque[LogLine] = deque(maxlen=_RECENT)
        self._engines: set[str] = set()
        self._awaits_tokens = False

    def take(self, line: LogLine) -> None:
        """A line of the log."""
        if line.is_header:
            self.close()
        if line.is_script:
            self._header(line)
            return
        if self._gather(line) or self._event(line):
            return
        self._text(line)

    def close(self) -> None:
        """A section, or the log, is over."""
        session, self._open, self._document = self._open, None, []
        self._recent.clear()
        if session is None:
            return
        if len(self.found) < MOST:
            self.found.append(session.record(self._job))
        else:
            self.left_out += 1

    def _header(self, line: LogLine) -> None:
        """What the environment of a step tells: the engine of GitHub Agentic Workflows, a session of Copilot."""
        if "GH_AW_" in line.text and (found := _ENGINE.match(line.text)):
            self._note_engine(line, found[1])
        elif "COPILOT_AGENT_SESSION_ID: " in line.text and self._open is None and _COPILOT_STEP.search(line.step or ""):
            self._open = _Session("copilot", line, is_text=True)

    def _note_engine(self, line: LogLine, engine: str) -> None:
        if engine in self._engines or len(self._engines) == _MOST_ENGINES:
            return
        self._engines.add(engine)
        note = _Session("gh-aw", line, is_text=False)
        note.values["engine"] = engine
        self.found.append(note.record(self._job))

    def _gather(self, line: LogLine) -> bool:
        """Whether the line is one of a JSON object that is printed over several lines."""
        if not self._document:
            if line.text == "{":
                self._document, self._size = [line], 1
            return line.text == "{"
        self._document.append(line)
        self._size += len(line.raw)
        if line.text.rstrip() in ("}", "},"):
            first, *_ = self._document
            text = b"\n".join(one.whole or b"" for one in self._document).rstrip(b",")
            self._document = []
            self._decoded(first, text)
            return True
        second = len(self._document) == 2 and not _DOCUMENT.match(line.text)
        too_long = len(self._document) > _MOST_DOCUMENT_LINES or self._size > _MOST_DOCUMENT_BYTES
        if second or too_long or not line.text.startswith((" ", "}", "]")):
            self._document = []
            return False
        return True

    def _event(self, line: LogLine) -> bool:
        document = line.document
        return document is not None and self._decoded(line, document)

    def _decoded(self, line: LogLine, document: bytes) -> bool:
        try:
            told = msgspec.json.decode(document)
        except (msgspec.DecodeError, RecursionError):
            return False
        events = [event for one in (told if isinstance(told, list) else [told]) if (event := read_event(one))]
        for event in events:
            self._learn(line, event)
        return bool(events)

    def _learn(self, line: LogLine, event: AgentEvent) -> None:
        if self._open is None or self._open.agent != event.agent:
            self.close()
            self._open = _Session(event.agent, line, is_text=False)
        self._open.say(line, *event.lines)
        self._open.learn(event)
        if event.ends:
            self.close()

    def _text(self, line: LogLine) -> None:
        text = line.text
        begins = next((agent for pattern, agent in _BEGINNINGS if pattern.match(text)), None)
        if begins and (self._open is None or not self._open.is_text or self._open.agent != begins):
            self.close()
            self._open = _Session(begins, line, is_text=True)
        elif self._open is None and _CLAUDE.match(text):
            self._open = _Session("claude", line, is_text=False)
        elif "gh-aw-agentic-workflow" in text and (found := _MARK.match(text)):
            self._note_engine(line, found[1])
        if text.startswith("##["):
            return
        if (event := read_footer(text, self._open.agent if self._open else None)) is not None:
            self._footer(line, event)
        elif self._open is None:
            self._recent.append(line)
        elif self._open.is_text:
            self._open.say(line, text)
            if self._open.agent == "codex":
                self._codex(text)

    def _footer(self, line: LogLine, event: AgentEvent) -> None:
        """Figures at the end of what an agent printed as plain text: the text stands above them."""
        if self._open is None or self._open.agent != event.agent:
            recent = list(self._recent)
            self.close()
            self._open = _Session(event.agent, recent[0] if recent else line, is_text=True)
            for one in recent:
                self._open.say(one, one.text)
        self._open.say(line, line.text)
        self._open.learn(event)

    def _codex(self, text: str) -> None:
        assert self._open is not None
        values = self._open.values
        if self._awaits_tokens and _WHOLE.match(text):
            values["total_tokens"] = int(text.replace(",", "") or 0)
        found = _CODEX_TOKENS.match(text)
        self._awaits_tokens = found is not None and found[1] is None
        if found and found[1]:
            values["total_tokens"] = values.get("total_tokens", 0) + int(found[1].replace(",", "") or 0)
        elif "model" not in values and (model := _CODEX_MODEL.match(text)):
            values["model"] = model[1]
        elif _CODEX_TOOL.match(text):
            values["tool_calls"] = values.get("tool_calls", 0) + 1
