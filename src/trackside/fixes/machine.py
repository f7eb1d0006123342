"""Fixes for what a machine lacks or does: disks, memory, devices, drivers."""

from __future__ import annotations

from typing import Final

from trackside.fixes.table import Fix, fix

_DISK: Final = (
    fix(
        "file-watchers",
        "Too many files are watched",
        "Run the tool without watching (`CI=true`, `--no-watch`), or raise fs.inotify.max_user_watches on the machine.",
        r"System limit for number of file watchers reached|inotify (?:watch|instance) limit",
    ),
    fix(
        "disk-full",
        "The disk ran full",
        "Remove what the job does not need before this step (`docker system prune -af`, unused toolchains and caches), "
        "or use a runner with a larger disk. On self-hosted runners clean up after each job.",
        None,
        "disk-full",
        unless=r"file watchers|inotify",
    ),
)

_MEMORY: Final = (
    fix(
        "node-heap",
        "Node ran out of its heap",
        "Raise it with NODE_OPTIONS=--max-old-space-size (in MiB, below the runner's memory), or let the tool use "
        "fewer workers.",
        r"JavaScript heap out of memory|Reached heap limit",
    ),
    fix(
        "java-heap",
        "Java ran out of memory",
        "Raise -Xmx (for Gradle org.gradle.jvmargs, for Maven MAVEN_OPTS), below the runner's memory, or fork fewer "
        "workers.",
        r"java\.lang\.OutOfMemoryError",
    ),
    fix(
        "shared-memory",
        "The container has too little shared memory",
        "Start it with `--shm-size` (such as 8g) or `--ipc=host`, in a workflow under `container: options`, or use "
        "fewer workers of the data loader.",
        None,
        "shared-memory",
    ),
    fix(
        "host-memory",
        "The machine ran out of memory",
        "Do less at a time (MAX_JOBS, `make -j`, `pytest -n`, workers), or use a runner with more memory; the system "
        "kills the largest process without a word of its own.",
        r"Process completed with exit code 137\b",
        "host-out-of-memory",
        "process-killed",
        "process-sigkill",
        "python-memory-error",
        "exit-137",
        unless=r"JavaScript heap|java\.lang|shared memory",
    ),
    fix(
        "gpu-memory-cache",
        "The device has too little memory for the model and its cache",
        "Serve a shorter context or fewer requests, raise the share of memory that the engine may use, spread the "
        "model over more devices, and see that no other process holds memory of the device.",
        None,
        "gpu-memory-for-cache",
    ),
    fix(
        "gpu-memory",
        "The device ran out of memory",
        "See first whether another process holds its memory, such as one left by the test before. Then lower batch, "
        "context or the share of memory for the cache, or use a larger device.",
        None,
        "gpu-out-of-memory",
        "gpu-allocation",
    ),
)

_DEVICES: Final = (
    fix(
        "cuda-architecture",
        "The binary was not built for this device",
        "Build or install it for the device's architecture (TORCH_CUDA_ARCH_LIST, CMAKE_CUDA_ARCHITECTURES), or use a "
        "wheel of a newer CUDA.",
        r"no kernel image is available",
    ),
    fix(
        "driver-version",
        "Driver and libraries of the device do not fit",
        "Use a build for the CUDA version of the machine's driver, or update the driver and restart the machine; after "
        "an update without a restart both versions are loaded.",
        r"[Dd]river/library version mismatch|driver (?:version )?is insufficient"
        r"|NVIDIA driver on your system is too old"
        r"|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|forward compatibility was attempted",
    ),
    fix(
        "device-broken",
        "The device itself is at fault",
        "Take the machine out of service, reset the device or restart the machine, and run the job elsewhere. Where it "
        "repeats on the same machine it is the hardware.",
        None,
        "gpu-xid",
        "other-signal",
    ),
    fix(
        "device-missing",
        "No device is there",
        "See that the job runs on a machine that has one (`runs-on`), that the container is started with --gpus all or "
        "the like, and that CUDA_VISIBLE_DEVICES names a device.",
        None,
        "no-gpu",
        "gpu-not-available",
    ),
    fix(
        "driver-lost",
        "The driver of the device does not answer",
        "Restart the machine, or its driver and container toolkit, and see that nvidia-smi answers before jobs are "
        "taken.",
        None,
        "driver",
        unless=r"version mismatch|insufficient|too old",
    ),
    fix(
        "collective-timeout",
        "Devices waited for each other in vain",
        "One rank failed, hangs or took another path: look for the first rank that says an error, not at the one which "
        "waited. NCCL_DEBUG=INFO tells which call it was.",
        None,
        "collective-watchdog",
    ),
    fix(
        "collective-error",
        "Devices could not talk to each other",
        "Run with NCCL_DEBUG=INFO: the line before says what failed. Mostly it is the network interface "
        "(NCCL_SOCKET_IFNAME), shared memory (--shm-size), or a rank that ended.",
        None,
        "nccl-error",
        "peer-lost",
        general=True,
    ),
    fix(
        "kernel-fault",
        "A kernel did what it must not do",
        "Run the same test with CUDA_LAUNCH_BLOCKING=1 (on ROCm AMD_SERIALIZE_KERNEL=3) or a sanitizer: the line that "
        "is named is often not the "
        "one at fault. Tests after it in the same process fail for the same reason.",
        None,
        "cuda-error",
        "gpu-memory-fault",
        unless=r"no kernel image|insufficient|(?:SYSTEM_)?DRIVER_MISMATCH|forward compatibility",
    ),
    fix(
        "kernel-resources",
        "A kernel asks for more than the device has",
        "Lower its block size or number of stages for this device, or tune it anew: the settings are of a larger one.",
        None,
        "triton-resources",
    ),
    fix(
        "segfault",
        "A program crashed in native code",
        "Run it with PYTHONFAULTHANDLER=1 or in a debugger for the stack, and look at native packages that changed "
        "lately; two builds that do not fit together are the common cause.",
        r"Process completed with exit code 139\b",
        "segfault",
        "fatal-python",
        unless=r"Aborted|exit code (?!139)\d|Fatal Python error: (?:init_|config_|Py_|_Py)",
    ),
)

FIXES: Final[tuple[Fix, ...]] = (*_DISK, *_MEMORY, *_DEVICES)
