"""Rules for what ran out: memory of a device or of the machine, space on a disk."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

_DEVICE: Final = (
    rule(
        "gpu-out-of-memory",
        Cause.GPU_MEMORY,
        91,
        r"(?:CUDA|HIP|XPU|NPU|MPS|MUSA|ROCm|SYCL|device) (?:backend )?(?:(?:driver "
        r"|runtime )?error: )?out of memory|\bOutOfMemoryError\b(?!.{0,200}(?:node running low|Java heap"
        r"|java\.lang))"
        r"|\bcudaErrorMemoryAllocation\b|\bhipErrorOutOfMemory\b|\bCUDA_ERROR_OUT_OF_MEMORY\b"
        r"|RESOURCE_EXHAUSTED: .{0,200}memory"
        r"|UR_RESULT_ERROR_OUT_OF_(?:DEVICE|RESOURCES)|OUT_OF_DEVICE_MEMORY",
        "out of memory",
        "outofmemory",
        "memoryallocation",
        "out_of_memory",
        "out_of_device_memory",
    ),
    rule(
        "gpu-allocation",
        Cause.GPU_MEMORY,
        90,
        r"cudaMalloc failed|CUBLAS_STATUS_ALLOC_FAILED|cuMem(?:Create|AddressReserve|Alloc)\w* failed"
        r"|NCCL .{0,80}(?:Cuda failure.{0,10}out of memory)|Failed to allocate .{0,60}(?:on|from) (?:the )?(?:GPU"
        r"|device)",
        "failed",
        "out of memory",
    ),
    rule(
        "gpu-memory-for-cache",
        Cause.GPU_MEMORY,
        90,
        r"No available memory for the cache blocks|Not enough memory\. Please try to increase"
        r"|larger than the maximum "
        r"number of tokens that can be stored in KV cache|(?:is"
        r"|are) needed, which is larger than the available KV cache"
        r"|Free memory on device .{0,160}is less than desired|Not enough GPU memory|Insufficient (?:GPU|device"
        r"|KV cache) memory"
        r"|The memory capacity is unbalanced|out of memory for (?:the )?KV cache",
        "memory",
        "cannot",
        "error",
    ),
    rule(
        "triton-resources",
        Cause.GPU_FAULT,
        84,
        r"(?i:out of resources?: (?:shared memory|registers|tensor memory))|OutOfResources",
        "memory",
        "error",
    ),
)

_HOST: Final = (
    rule(
        "host-out-of-memory",
        Cause.HOST_MEMORY,
        89,
        r"(?i)\b(?:Out of memory: Kill(?:ed)? process|oom-?kill(?:er|ed)?\b|Memory cgroup out of memory"
        r"|killed by (?:the )?OOM|OOM ?Killed)|std::bad_alloc|Cannot allocate memory|virtual memory exhausted"
        r"|JavaScript heap out of memory|java\.lang\.OutOfMemoryError|DefaultCPUAllocator: (?:can't|not enough)"
        r"|compiler is out of heap space|paging file is too small|LLVM ERROR: out of memory"
        r"|Worker (?:ran )?out of memory"
        r"|(?:was|were) killed due to (?:the node|memory)",
        "memory",
        "killed by",
        "killed",
        "fatal",
        "terminat",
        "can't allocate",
    ),
    rule(
        "python-memory-error",
        Cause.HOST_MEMORY,
        88,
        r"^(?:E\s+)?(?:[\w.]+\.)?(?:_Array)?MemoryError\b(?:: |$)",
        "memoryerror",
    ),
    rule(
        "process-killed",
        Cause.HOST_MEMORY,
        87,
        r"^(?:\S+: line \d+: +\d+ )?Killed(?: {2,}\S.*)?$|(?i:killed \(program cc1(?:plus)?\))"
        r"|fatal error: Killed signal terminated program|died due to signal 9\b|^Killed: 9\b|: Killed: 9\b",
        "killed",
        "error",
        "fatal",
    ),
    rule(
        "process-sigkill",
        Cause.HOST_MEMORY,
        66,
        r"(?i)died with <?Signals\.SIGKILL|terminated by signal (?:SIGKILL|9)\b|killed by signal (?:SIGKILL|9)\b"
        r"|exit(?:ed with)? code:? 137\b"
        r"|\bSignal 9 \(SIGKILL\) received|exitcode ?[:=] ?-9\b",
        "terminated by signal",
        "killed by",
        "error",
        "fail",
    ),
    rule(
        "shared-memory",
        Cause.HOST_MEMORY,
        86,
        r"(?i)insufficient shared memory|out of shared memory\.|bus error(?:\b.{0,60}shm|.{0,20}core dumped)"
        r"|unable to open shared memory object"
        r"|/dev/shm.{0,80}(?:too small|not enough|full)",
        "memory",
        "bus error",
        "terminat",
    ),
)

_DISK: Final = (
    rule(
        "disk-full",
        Cause.DISK_FULL,
        94,
        r"(?i)no space left on device|not enough (?:free )?(?:disk )?space|there is not enough space on the disk"
        r"|disk quota exceeded"
        r"|insufficient disk space|\bENOSPC\b|disk (?:is )?full\b|you don't have enough free space",
        "no space left",
        "quota exceeded",
        "error",
        "fail",
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_DEVICE, *_HOST, *_DISK)
