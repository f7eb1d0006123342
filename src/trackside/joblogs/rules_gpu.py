"""Rules for faults of devices, drivers, kernels and of the communication between devices."""

from __future__ import annotations

from typing import Final

from trackside.joblogs.rule_table import Rule, rule
from trackside.records.failures import Cause

RULES: Final[tuple[Rule, ...]] = (
    rule(
        "gpu-xid",
        Cause.GPU_FAULT,
        90,
        r"NVRM: Xid|\bGPU has fallen off the bus|uncorrectable ECC error",
        "nvrm:",
        "error",
        "fail",
    ),
    rule(
        "collective-watchdog",
        Cause.GPU_FAULT,
        88,
        r"Watchdog caught collective operation timeout|collective operation timeout: WorkNCCL"
        r"|Some NCCL operations have failed or timed out",
        "timeout",
        "timed out",
    ),
    rule(
        "cuda-error",
        Cause.GPU_FAULT,
        87,
        r"(?:CUDA|HIP|CUDNN|cuDNN|CUBLAS) (?:runtime |driver "
        r"|kernel )?error: (?!out of memory)(?!invalid device ordinal)"
        r"|an illegal (?:memory access|instruction) was encountered|device-side assert triggered"
        r"|unspecified launch failure|misaligned address|\bcudaError(?!MemoryAllocation)[A-Z]\w+"
        r"|\bhipError(?!OutOfMemory|NoDevice)[A-Z]\w+|CUDA_ERROR_(?!OUT_OF_MEMORY)[A-Z_]+|CUBLAS_STATUS_(?!SUCCESS"
        r"|ALLOC)[A-Z_]+"
        r"|CUDNN_STATUS_(?!SUCCESS)[A-Z_]+|no kernel image is available|Triton Error \[(?:CUDA|HIP)\]",
        "error",
        "launch failure",
    ),
    rule(
        "gpu-memory-fault",
        Cause.GPU_FAULT,
        88,
        r"Memory access fault by GPU|HSA_STATUS_ERROR\w*|GPU Hang|GPU core ?dump|amdgpu: .{0,80}(?:reset|hang|fault)"
        r"|MES (?:failed|might be)|GCVM_L2_PROTECTION_FAULT",
        "memory access fault",
        "hsa_status_error",
        "fail",
        "abort",
        "error",
    ),
    rule(
        "nccl-error",
        Cause.GPU_FAULT,
        86,
        r"\b(?:NCCL|RCCL|HCCL|NVSHMEM|UCX|Gloo|DeepEP|nccl\w*)\b.{0,40}(?:\berror\b|Error in:|unhandled)"
        r"|\bnccl(?:System|Internal|UnhandledCuda|Remote|InvalidUsage|InvalidArgument)\w*Error"
        r"|NCCL WARN (?!.{0,60}(?:plugin|MLX|NET/OFI))|DistBackendError|ncclUnhandledCudaError",
        "error",
        "fail",
    ),
    rule(
        "no-gpu",
        Cause.GPU_FAULT,
        87,
        r"(?i)no CUDA GPUs are available|no CUDA-capable device is detected|Found no NVIDIA driver"
        r"|No HIP GPUs are available"
        r"|no (?:CUDA|ROCm|GPU|NVIDIA|XPU|NPU|AMD) (?:GPU |compatible )?devices? (?:was |were |is |are )?(?:found"
        r"|available|detected)|No supported GPU"
        r"|(?:CUDA|HIP) error: invalid device ordinal|hipErrorNoDevice"
        r"|could not select device driver .{0,10}with capabilities: \[\[gpu"
        r"|Torch not compiled with CUDA enabled|not enough GPUs? available"
        r"|Failed to infer device type|libcuda\.so\.1: cannot open",
        "error",
        "fail",
        "not found",
        "could not select",
        "cannot open",
    ),
    rule(
        "gpu-not-available",
        Cause.GPU_FAULT,
        53,
        r"(?i)\b(?:CUDA|GPUs?|ROCm) (?:is |are )?(?:not available|unavailable)",
        "error",
        "fail",
    ),
    rule(
        "driver",
        Cause.GPU_FAULT,
        88,
        r"Driver/library version mismatch|NVIDIA-SMI has failed|Unable to determine the device handle for GPU"
        r"|driver (?:version )?is insufficient|The NVIDIA driver on your system is too old|nvml error|NVMLError"
        r"|nvidia-container-cli: .{0,80}error|(?i:failed to initialize (?:nvml|the nvidia))"
        r"|rocm-smi.{0,40}(?:failed|error)"
        r"|UR backend failed|amdgpu.{0,40}not (?:loaded|found)",
        "failed",
        "error",
        "unable to determine",
        "not found",
    ),
    rule(
        "kernel-compile",
        Cause.GPU_FAULT,
        70,
        r"(?:triton\.(?:compiler\.errors\.)?CompilationError|PTXAS error"
        r"|Internal Triton PTX codegen error)"
        r"|PassManager::run failed|LLVM ERROR: (?!out of memory)",
        "error",
        "fatal",
        "failed",
    ),
    rule(
        "peer-lost",
        Cause.GPU_FAULT,
        50,
        r"Connection closed by (?:remote )?peer|Socket Timeout|TCPStore.{0,80}(?:timed out|timeout|failed)"
        r"|Broken pipe.{0,40}TCPStore"
        r"|\[Gloo\].{0,80}(?:timeout|closed)|wait timeout after \d+ms|DistStoreError|DistNetworkError",
        "error",
        "timeout",
        "timed out",
        "fail",
    ),
    rule(
        "other-signal",
        Cause.GPU_FAULT,
        60,
        r"GPU (?:health|sanity) check failed|GPUs? (?:is|are) (?:busy|not idle|in a bad state|unhealthy)"
        r"|cuda-memcheck.{0,40}error"
        r"|========= (?:Invalid __|Out-of-range|Race reported)",
        "fail",
        "error",
    ),
)
