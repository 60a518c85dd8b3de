"""What a unit file allows its processes, put into force for a process that a test starts: system calls, address families, no new code."""
import ctypes
import errno
import re
import socket
import subprocess

ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM  # of libseccomp
EQUAL, NO_RULE = 4, -1
PR_SET_MDWE, PR_GET_MDWE, REFUSE_EXEC_GAIN = 65, 66, 1


class Compared(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("how", ctypes.c_int), ("to", ctypes.c_uint64), ("unused", ctypes.c_uint64)]


def settings(unit, name):
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.M)


def groups():
    """{@group: its members}, as systemd has them."""
    found, group = {}, None
    for line in subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.startswith("@"):
            group = found.setdefault(line.strip(), [])
        elif re.match(r" +[@\w]", line) and group is not None:
            group.append(line.strip())
        elif line.startswith("#"):
            group = None
    return found


def system_calls(unit):
    known = groups()

    def members(name):
        return {call for member in known[name] for call in members(member)} if name.startswith("@") else {name}
    allowed = set()
    for line in settings(unit, "SystemCallFilter"):
        calls = {call for name in line.lstrip("~").split() for call in members(name)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed | members("@default")


class Confinement:
    """Made by the test, put into force by what it starts, between fork and exec."""

    def __init__(self, unit):
        self.library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self.library.seccomp_init.restype = ctypes.c_void_p
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.filter = ctypes.c_void_p(self.library.seccomp_init(ctypes.c_uint32(REFUSE)))
        for name in sorted(system_calls(unit) - {"socket"}):
            self.rule(name)
        for family in settings(unit, "RestrictAddressFamilies")[0].split():
            self.rule("socket", Compared(0, EQUAL, getattr(socket, family), 0))
        can_refuse = self.libc.prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0  # Linux 6.3 or newer
        self.no_new_code = can_refuse and settings(unit, "MemoryDenyWriteExecute") == ["yes"]

    def rule(self, name, *compared):
        number = self.library.seccomp_syscall_resolve_name(name.encode())
        if number != NO_RULE:
            array = (Compared * len(compared))(*compared)
            if self.library.seccomp_rule_add_array(self.filter, ctypes.c_uint32(ALLOW), number, len(compared), array) != 0:
                raise OSError(f"no rule for {name}")

    def enter(self):
        if self.no_new_code and self.libc.prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
            raise OSError("memory that is writable and executable cannot be refused")
        if self.library.seccomp_load(self.filter) != 0:
            raise OSError("the system call filter cannot be loaded")
