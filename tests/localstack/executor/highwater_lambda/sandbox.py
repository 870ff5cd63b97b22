"""The process of one environment: the deployed `bootstrap`, with the environment variables of the function and no others.

Where it is allowed (as root) the process has a mount namespace of its own: its code read-only at /var/task, a /tmp of the
function's size that is gone with it, nothing else in /var, and it runs as nobody. Elsewhere it runs beside its code."""

import array
import fcntl
import functools
import logging
import os
import select
import signal
import subprocess
import termios
import threading
import time

LOG = logging.getLogger(__name__)

PATH = "/usr/local/bin:/usr/bin:/bin:/opt/bin"
NOBODY = "65534"
# $1 the code, $2 the size of /tmp in MiB. The code may lie below /tmp or /var: it is bound before they are covered.
IN_A_NAMESPACE = """
set -e
mount -t tmpfs highwater-lambda /mnt
mkdir /mnt/task
mount --bind "$1" /mnt/task
mount -o remount,ro,bind /mnt/task
mount -t tmpfs highwater-lambda /var
mkdir /var/task
mount --move /mnt/task /var/task
umount /mnt
mount -t tmpfs -o "size=$2m,mode=1777" highwater-lambda /tmp
cd /var/task
exec setpriv --reuid=%(nobody)s --regid=%(nobody)s --clear-groups --no-new-privs /var/task/bootstrap
""" % {"nobody": NOBODY}
TERMINATE_S = 2


@functools.cache
def namespaces_are_allowed():
    tried = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "highwater-lambda", "/mnt"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    if tried.returncode != 0:
        LOG.warning("no mount namespaces here: functions see the whole file system, and their /tmp is the machine's")
    return tried.returncode == 0


class Sandbox:
    """A started process; what it writes to both outputs is kept until it is taken."""

    def __init__(self, code, variables, tmp_mebibytes):
        os.chmod(code, 0o755)
        bootstrap = os.path.join(code, "bootstrap")
        os.chmod(bootstrap, 0o755)
        variables = {"PATH": PATH, "LANG": "en_US.UTF-8", **variables}
        if namespaces_are_allowed():
            command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", IN_A_NAMESPACE, "sh", code]
            command.append(str(tmp_mebibytes))
        else:
            command = [bootstrap]
            variables["LAMBDA_TASK_ROOT"] = code
        self._lock = threading.Lock()
        self._written = []
        self._process = subprocess.Popen(
            command,
            cwd=code,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._output = self._process.stdout.fileno()
        threading.Thread(target=self._read, daemon=True, name="sandbox-output").start()

    def _read(self):
        output = select.poll()
        output.register(self._output, select.POLLIN)
        while True:
            output.poll()
            # Taken from the pipe and kept in one step: see `take_output`.
            with self._lock:
                some = os.read(self._output, 1 << 16)
                self._written.append(some)
                if not some:
                    self._process.stdout.close()
                    return

    def take_output(self):
        """What was written since the last call. All that a process wrote before it answered is in it: it is read, or
        still in the pipe, and then waited for."""
        waiting = array.array("i", [1])
        while True:
            with self._lock:
                over = self._process.stdout.closed
                if not over:
                    fcntl.ioctl(self._output, termios.FIONREAD, waiting)
                if over or not waiting[0]:
                    written, self._written = self._written, []
                    return b"".join(written).decode(errors="replace")
            time.sleep(0.001)

    def exit_status(self):
        """`None` while it runs; negative after a signal."""
        return self._process.poll()

    def peak_mebibytes(self):
        """The most memory it had; 0 when it is gone."""
        try:
            with open(f"/proc/{self._process.pid}/status") as status:
                peak = next(line for line in status if line.startswith("VmHWM:"))
            return -(-int(peak.split()[1]) // 1024)
        except (OSError, StopIteration):
            return 0

    def kill(self):
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._process.wait()

    def end(self):
        """Asks it to end, and does not ask twice."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(TERMINATE_S)
            except subprocess.TimeoutExpired:
                self.kill()
