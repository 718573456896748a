# Run as a person's code: tries to get out, and says for each way whether it is open. See test_sandbox.py.
# ruff: noqa: PTH101, PTH102, PTH104, PTH106, PTH108, PTH116, PTH123, PTH208, PTH211, SIM115
# (the lowest level on purpose)
import ctypes
import os
import struct

around = payload["data"]  # noqa: F821
harmless = around.get("harmless", False)
libc = ctypes.CDLL(None, use_errno=True)
column = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
result = {}


def probe(name, attempt):
    try:
        attempt()
    except (OSError, RuntimeError, ModuleNotFoundError) as error:
        result[name] = "refused"
        if isinstance(error, ConnectionRefusedError):
            result[name] = "OPEN"  # the network answered
    else:
        result[name] = "OPEN"


def call(*numbers_and_arguments):
    numbers, *arguments = numbers_and_arguments
    if libc.syscall(numbers[column], *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def fork():
    if os.fork() == 0:
        os._exit(0)


def run_program():
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)


def thread():
    import threading

    made = threading.Thread(target=lambda: None)
    made.start()
    made.join()


def connect(family, kind, address):
    import socket

    with socket.socket(family, kind) as made:
        made.settimeout(1)
        made.connect(address)
        made.send(b"x")


def pair():
    import socket

    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.close()
    other.close()


def listen():
    import socket

    socket.create_server(("127.0.0.1", 0)).close()


def module(name):
    __import__(name)


def write(path):
    with open(path, "x") as file:
        file.write("x")
    os.unlink(path)


def shared_memory():
    made = libc.syscall((29, 194)[column], 0, 4096, 0o600)
    if made < 0:
        raise OSError(ctypes.get_errno(), "refused")
    libc.syscall((31, 195)[column], made, 0, None)  # and away with it


buffer = ctypes.create_string_buffer(256)
path = around["secret"].encode()
probe("read secret", lambda: open(around["secret"]).read())
probe("list folder", lambda: os.listdir(around["folder"]))
probe("read passwords", lambda: open("/etc/passwd").read())
probe("read shadow", lambda: open("/etc/shadow").read())
probe("read itself in the engine's tree", lambda: open(around["here"]).read())
probe("own environment file", lambda: open("/proc/self/environ").read())
probe("environment of the first process", lambda: open("/proc/1/environ").read())
probe("environment of the engine", lambda: open(f"/proc/{around['engine_pid']}/environ").read())
probe("command line of the engine", lambda: open(f"/proc/{around['engine_pid']}/cmdline").read())
probe("memory of the process", lambda: open("/proc/self/mem", "rb").close())
probe("write file", lambda: write(around["folder"] + "/new"))
probe("write temporary file", lambda: write("/tmp/flowork-probe"))
probe("write shared memory", lambda: write("/dev/shm/flowork-probe"))
probe("write where it stands", lambda: write("flowork-probe"))
probe("make folder", lambda: (os.mkdir(around["folder"] + "/d"), os.rmdir(around["folder"] + "/d")))
probe("make link", lambda: (os.symlink("/", around["folder"] + "/l"), os.unlink(around["folder"] + "/l")))
probe("rename", lambda: os.rename(around["secret"], around["secret"]))
probe("truncate", lambda: os.truncate(around["folder"] + "/secret", 6))
probe("change permissions", lambda: os.chmod(around["secret"], 0o644))
probe("change owner", lambda: os.chown(around["secret"], os.getuid(), os.getgid()))
probe("change times", lambda: os.utime(around["secret"]))
probe("set attribute", lambda: os.setxattr(around["secret"], "user.x", b"x"))
probe("permissions of the library", lambda: os.chmod(os.__file__, os.stat(os.__file__).st_mode & 0o7777))
probe("memfd", lambda: os.close(os.memfd_create("x")))
probe("fork", fork)
probe("exec", run_program)
probe("thread", thread)
probe("clone3", lambda: call((435, 435), 0 if not harmless else None, 0))
probe("signal engine", lambda: os.kill(around["engine_pid"], 0))
probe("signal parent", lambda: os.kill(os.getppid(), 0))
probe("signal group", lambda: os.kill(0, 0))
probe("signal all", lambda: os.kill(-1, 0))
probe("limit parent", lambda: call((302, 261), os.getppid(), 7, None, buffer))
probe("affinity of parent", lambda: os.sched_setaffinity(os.getppid(), os.sched_getaffinity(0)))
probe("priority of parent", lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 0))
probe("ptrace parent", lambda: call((101, 117), 0x4206, os.getppid(), None, None))  # seize: does not stop it
probe("read memory of parent", lambda: call((310, 270), os.getppid(), buffer, 1, buffer, 1, 0))
probe("pidfd of parent", lambda: os.close(os.pidfd_open(os.getppid())))
probe("session", os.setsid)
probe("outlive the engine", lambda: call((157, 167), 1, 0, 0, 0, 0))
probe("socket", lambda: __import__("socket").socket().close())
probe("netlink", lambda: __import__("socket").socket(16, 3, 0).close())
probe("listen", listen)
probe("tcp", lambda: connect(2, 1, ("127.0.0.1", around["tcp"])))
probe("udp", lambda: connect(2, 2, ("127.0.0.1", around["udp"])))
probe("named unix socket", lambda: connect(1, 2, around["named"]))
probe("abstract unix socket", lambda: connect(1, 1, "\0" + around["abstract"]))
probe("datagram pair", pair)
probe("user namespace", lambda: call((272, 97), 0x10000000))
probe("mount namespace", lambda: call((272, 97), 0x00020000))
probe("mount", lambda: call((165, 40), b"none", b"/none", b"tmpfs", 0, None))
probe("change root", lambda: call((161, 51), b"/none"))
probe("io_uring", lambda: call((425, 425), 1, buffer))
probe("bpf", lambda: call((321, 280), 0, None, 0))
probe("performance events", lambda: call((298, 241), buffer, 0, -1, -1, 0))
probe("keys", lambda: call((250, 219), 0, -3, 0))
probe("userfaultfd", lambda: call((323, 282), 0))
probe("file by handle", lambda: call((304, 265), -1, buffer, 0))
probe("shared memory", shared_memory)
probe("watch files", lambda: call((294, 26), 0))
probe("become root", lambda: os.setuid(0) if os.getuid() else os.setgroups([0]))
probe("capabilities", lambda: call((126, 91), struct.pack("=Ii", 0x20080522, 0), b"\xff" * 24))
probe("a new call of the kernel", lambda: call((452, 452), -100, path, 0o644, 0))
probe("own packages", lambda: module("pydantic"))
probe("the engine's code", lambda: module("core_engine.settings"))
