import os
import subprocess
import sys
import time

from listener_head.usage import PERIOD, Meter


def test_memory_and_processor_time_of_living_processes():
    busy = subprocess.Popen([sys.executable, "-c", "x = bytearray(50_000_000)\nwhile True: pass"])
    meter, began = Meter(), time.monotonic()
    try:
        while time.monotonic() < began + 3 * PERIOD:
            meter.sample({"busy": busy.pid, "gone": 2**22 - 1, "idle": os.getpid()})
            time.sleep(0.05)
        meter.sample_shared({"busy": busy.pid, "gone": 2**22 - 1, "idle": os.getpid()})
    finally:
        busy.kill()
        busy.wait()
    usage = meter.usage(since=began)
    assert set(usage.memory_mb) == {"busy", "idle"}
    assert usage.memory_mb["busy"] > 50 and meter.own_mb["busy"] > 50
    assert 20 < usage.cpu_percent["busy"] <= 110
    assert usage.cpu_percent["busy"] > 2 * usage.cpu_percent["idle"]
