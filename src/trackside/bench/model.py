"""From the accounts of single files to the workers of a run: identity, role, configuration, double lines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from trackside.bench.rank_totals import GroupTotals, merge_totals
from trackside.bench.scan_records import BATCH_KINDS, ENGINES, KINDS, Launch
from trackside.records.engine_run import Ranks, RankTotals, Role, Worker

PREFILL, DECODE = KINDS.index("prefill"), KINDS.index("decode")
SIDES: Final = ("any", "prefill", "decode")
_SAME_SHARE: Final = 0.02
_FEW_ROWS: Final = 20
_KV_ROLES: Final = {"kv_producer": Role.PREFILL, "kv_consumer": Role.DECODE}


class FileFacts(msgspec.Struct, frozen=True):
    """What a file says of its workers. ``role`` and ``worker_id`` come from its name; ``hint`` is a weaker word of it.

    ``shift_us`` moves its times to their place where the date was told from the end of the file.
    """

    file: str
    node: str
    role: Role | None
    worker_id: str | None
    hint: Role | None
    streams: list[str]
    groups: list[GroupTotals]
    launches: list[Launch]
    shift_us: int = 0


class RunModel(msgspec.Struct, frozen=True):
    """The workers of a run, and to which of them each row belongs.

    ``owner`` maps (file, stream, side) to a worker's index, side being any, prefill or decode. ``doubles`` holds
    (worker's index, kind, ranks) of rows that repeat what another rank logged of the same batch.
    """

    workers: tuple[Worker, ...]
    owner: dict[tuple[str, int, str], int]
    doubles: frozenset[tuple[int, int, Ranks]]
    notes: tuple[str, ...]

    def digest(self) -> str:
        """Equal for two models that give every row the same worker, sizes and mark of a double."""
        workers = [(w.node, w.role, w.worker_id, w.tp_size, w.dp_size, w.ep_size) for w in self.workers]
        doubles = sorted((index, kind, repr(ranks)) for index, kind, ranks in self.doubles)
        text = msgspec.json.encode([workers, sorted(self.owner.items()), doubles])
        return hashlib.blake2b(text, digest_size=12).hexdigest()


class _Part(msgspec.Struct):
    """One worker in the making."""

    node: str
    role: Role
    worker_id: str
    files: list[str] = []
    groups: list[GroupTotals] = []
    launches: list[Launch] = []
    keys: list[tuple[str, int, str]] = []


def build_model(files: Sequence[FileFacts], role: Role | None = None) -> RunModel:
    """The workers that ``files`` (in the order of their times) describe; ``role`` overrules what they say."""
    parts: dict[tuple[str, Role, str], _Part] = {}
    notes: list[str] = []
    for facts in files:
        for part in _parts_of(facts, notes):
            chosen = role or part.role
            known = parts.setdefault((part.node, chosen, part.worker_id), _Part(part.node, chosen, part.worker_id))
            known.files += [f for f in part.files if f not in known.files]
            known.groups += part.groups
            known.launches += part.launches
            known.keys += part.keys
    ordered = sorted(parts.values(), key=lambda p: (p.node, p.role.value, p.worker_id))
    shared = _nodes_of(ordered)
    workers = tuple(_worker(part, shared[part.role, part.worker_id]) for part in ordered)
    notes += _mixed_ranks(workers)
    owner = {key: index for index, part in enumerate(ordered) for key in part.keys}
    doubles = frozenset(
        (index, kind, ranks) for index, part in enumerate(ordered) for kind, ranks in _doubles(part.groups)
    )
    return RunModel(workers, owner, doubles, tuple(notes))


def _parts_of(facts: FileFacts, notes: list[str]) -> Iterable[_Part]:
    if not facts.groups:
        return
    present = sorted({group.stream for group in facts.groups})
    if facts.role is not None:
        part = _Part(facts.node, facts.role, facts.worker_id or "w0", [facts.file])
        part.groups = _shifted(facts.groups, facts.shift_us)
        part.launches = list(facts.launches)
        part.keys = [(facts.file, stream, side) for stream in present for side in SIDES]
        yield part
        return
    batch = sorted({g.stream for g in facts.groups if g.kind < BATCH_KINDS}) or present[:1]
    for stream in batch:
        mine = [s for s in present if s == stream or (len(batch) == 1)]
        launches = [one for one in facts.launches if len(batch) == 1 or one.stream == stream]
        yield from _stream_parts(facts, stream, mine, launches, notes)
    if len(batch) > 1 and set(present) - set(batch):
        notes.append(f"{facts.file}: start-up lines of writers without batch lines belong to no worker")


def _stream_parts(
    facts: FileFacts, stream: int, mine: list[int], launches: list[Launch], notes: list[str]
) -> Iterable[_Part]:
    groups = _shifted([g for g in facts.groups if g.stream in mine], facts.shift_us)
    worker_id = facts.streams[stream] or "w0"
    kinds = {g.kind for g in groups if g.kind < BATCH_KINDS}
    modes = {mode for one in launches if (mode := launch_role(one.settings)) is not None}
    if {Role.PREFILL, Role.DECODE} <= modes and {PREFILL, DECODE} <= kinds:
        for role, kind in ((Role.PREFILL, PREFILL), (Role.DECODE, DECODE)):
            part = _Part(facts.node, role, worker_id, [facts.file])
            part.groups = [g for g in groups if g.kind == kind or (g.kind >= BATCH_KINDS and kind == PREFILL)]
            part.launches = [one for one in launches if launch_role(one.settings) in (role, None)]
            sides = (role.value,) if role is Role.DECODE else ("any", role.value)
            part.keys = [(facts.file, s, side) for s in mine for side in sides]
            yield part
        notes.append(f"{facts.file}: a prefill and a decode worker share the file; its start-up lines go to prefill")
        return
    part = _Part(facts.node, _role(kinds, modes, facts.hint), worker_id, [facts.file], groups, launches)
    part.keys = [(facts.file, s, side) for s in mine for side in SIDES]
    ports = {(one.settings.get("host"), one.settings.get("port")) for one in launches if "port" in one.settings}
    if len(ports) > 1:
        notes.append(
            f"{facts.file}: {len(ports)} servers were launched in one unlabelled file; "
            "their lines are read as one worker"
        )
    yield part


def _shifted(groups: list[GroupTotals], shift_us: int) -> list[GroupTotals]:
    if not shift_us:
        return list(groups)
    return [
        msgspec.structs.replace(
            g,
            first_us=None if g.first_us is None else g.first_us + shift_us,
            last_us=None if g.last_us is None else g.last_us + shift_us,
        )
        for g in groups
    ]


def launch_role(settings: dict[str, Any]) -> Role | None:
    """The role that launch settings name; None where they name none or both."""
    mode = settings.get("disaggregation_mode")
    if mode in ("prefill", "decode"):
        return Role(mode)
    transfer = settings.get("kv_transfer_config")
    text = transfer if isinstance(transfer, str) else str(transfer.get("kv_role")) if isinstance(transfer, dict) else ""
    return next((role for name, role in _KV_ROLES.items() if name in text), None)


def _role(kinds: set[int], modes: set[Role], hint: Role | None) -> Role:
    if len(modes) == 1:
        return next(iter(modes))
    if {PREFILL, DECODE} <= kinds or not kinds & {PREFILL, DECODE}:
        return hint if hint and not kinds else Role.AGG
    return hint or (Role.PREFILL if PREFILL in kinds else Role.DECODE)


def _mixed_ranks(workers: Sequence[Worker]) -> list[str]:
    """What to know of workers whose data-parallel ranks log without saying which they are."""
    return [
        f"{worker.name}: its {worker.dp_size} data-parallel ranks log without a rank tag; each value is of one of them"
        for worker in workers
        if (worker.dp_size or 1) > 1
        and worker.rank_totals
        and all(total.ranks.dp is None and total.ranks.tp is None for total in worker.rank_totals)
        and worker.engine == "sglang"
    ]


def _nodes_of(parts: list[_Part]) -> dict[tuple[Role, str], int]:
    nodes: dict[tuple[Role, str], set[str]] = {}
    for part in parts:
        nodes.setdefault((part.role, part.worker_id), set()).add(part.node)
    return {key: len(value) for key, value in nodes.items()}


def _worker(part: _Part, nodes_with_id: int) -> Worker:
    config = _config(part)
    batch = [g for g in part.groups if g.kind < BATCH_KINDS]
    firsts = [g.first_us for g in part.groups if g.first_us is not None]
    lasts = [g.last_us for g in part.groups if g.last_us is not None]
    sizes = {name: _size(config.get(name)) for name in ("tp_size", "dp_size", "ep_size", "pp_size")}
    engine = max(batch, key=lambda g: g.rows).engine if batch else None
    return Worker(
        node=part.node,
        role=part.role,
        worker_id=part.worker_id,
        files=tuple(part.files),
        engine=None if engine is None else ENGINES[engine],
        batch_rows=sum(g.rows for g in batch),
        memory_rows=sum(g.rows for g in part.groups) - sum(g.rows for g in batch),
        first_us=min(firsts, default=None),
        last_us=max(lasts, default=None),
        rank_totals=_rank_totals(batch),
        launches=sum(one.source != "command_line" for one in part.launches),
        config=config,
        **sizes,
        gpus=_gpus(sizes, config, ENGINES[engine] if engine is not None else None, nodes_with_id),
    )


def _rank_totals(batch: list[GroupTotals]) -> tuple[RankTotals, ...]:
    merged: dict[tuple[str, Ranks], list[GroupTotals]] = {}
    for group in batch:
        merged.setdefault((KINDS[group.kind], group.ranks), []).append(group)
    out = []
    for (kind, ranks), groups in merged.items():
        firsts = [g.first_us for g in groups if g.first_us is not None]
        lasts = [g.last_us for g in groups if g.last_us is not None]
        out.append(
            RankTotals(
                ranks,
                kind,
                sum(g.rows for g in groups),
                min(firsts, default=0),
                max(lasts, default=0),
                sum(g.new_token for g in groups),
                sum(g.cached_token for g in groups),
            )
        )
    return tuple(sorted(out, key=lambda t: (t.batch_type, _rank_order(t.ranks))))


def _rank_order(ranks: Ranks) -> list[int]:
    return [-1 if rank is None else rank for rank in msgspec.structs.astuple(ranks)]


def _config(part: _Part) -> dict[str, Any]:
    """The last launch that logged its arguments; an echoed command line only where none did."""
    logged = [one for one in part.launches if one.source != "command_line"]
    chosen = logged or part.launches
    return dict(chosen[-1].settings) if chosen else {}


def _size(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value > 0 else None
    return int(value) if isinstance(value, str) and value.isdigit() and 0 < len(value) < 9 else None


def _gpus(sizes: dict[str, int | None], config: dict[str, Any], engine: str | None, nodes_with_id: int) -> int | None:
    """GPUs of the worker's share: a worker over several nodes, each with a log of its own, counts once in all."""
    tp_size = sizes["tp_size"]
    if tp_size is None:
        return None
    gpus = tp_size * (sizes["pp_size"] or 1)
    if engine == "vllm":
        gpus *= sizes["dp_size"] or 1
    nodes = _size(config.get("nnodes")) or 1
    share = min(nodes, nodes_with_id)
    return gpus // share if gpus % share == 0 else gpus


def _doubles(groups: list[GroupTotals]) -> Iterable[tuple[int, Ranks]]:
    """Ranks whose lines repeat a batch: every pipeline or context rank but the first, and tensor ranks that agree."""
    batch = merge_totals(msgspec.structs.replace(g, stream=0, engine=0) for g in groups if g.kind < BATCH_KINDS)
    for kind in {g.kind for g in batch}:
        mine = [g for g in batch if g.kind == kind]
        firsts = [min((r for g in mine if (r := pick(g.ranks)) is not None), default=None) for pick in _STAGES]
        stage: dict[tuple[int | None, int | None], list[GroupTotals]] = {}
        for group in mine:
            if any(pick(group.ranks) not in (None, first) for pick, first in zip(_STAGES, firsts, strict=True)):
                yield kind, group.ranks
            else:
                stage.setdefault((group.ranks.dp, group.ranks.moe_dp), []).append(group)
        for same in stage.values():
            for group in _agreeing(same):
                yield kind, group.ranks


def _pp(ranks: Ranks) -> int | None:
    return ranks.pp


def _attn_cp(ranks: Ranks) -> int | None:
    return ranks.attn_cp


_STAGES: Final = (_pp, _attn_cp)


def _agreeing(groups: list[GroupTotals]) -> list[GroupTotals]:
    """Tensor ranks beyond the first that logged as many lines and tokens as it did: the same batches again."""
    by_tp = sorted((g for g in groups if g.ranks.tp is not None), key=lambda g: g.ranks.tp or 0)
    if len({g.ranks.tp for g in by_tp}) < 2:
        return []
    first = by_tp[0]
    share = _SAME_SHARE if first.rows >= _FEW_ROWS else 0.0
    same = [g for g in by_tp[1:] if g.ranks.tp != first.ranks.tp]
    agree = all(
        abs(a - b) <= share * max(a, b, 1)
        for g in same
        for a, b in ((g.rows, first.rows), (g.new_token, first.new_token), (g.cached_token, first.cached_token))
    )
    return same if agree else []
