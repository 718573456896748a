"""Which system calls a locked process must not make, with their numbers on the processors we support."""

from __future__ import annotations

from typing import NamedTuple

FIRST_UNKNOWN = 451
"""Calls from this number on are newer than this list; they are answered as if the kernel did not know them."""

# name: (x86_64, aarch64); None where that processor has no such call
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # new processes, threads and programs: a step computes, it starts nothing
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281),
    # other processes
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "kcmp": (312, 272), "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "prlimit64": (302, 261), "migrate_pages": (256, 238), "move_pages": (279, 239), "setsid": (112, 157),
    "setpgid": (109, 154),
    # network; a stream socketpair stays possible because event loops wake themselves with one
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "mount_setattr": (442, 442), "move_mount": (429, 429), "open_tree": (428, 428),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "swapon": (167, 224), "swapoff": (168, 225),
    # what Landlock does not cover: attributes of files, and files without a name
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, None), "fchown": (93, 55),
    "lchown": (94, None), "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "mknod": (133, None), "mknodat": (259, 33), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "sync": (162, 81), "syncfs": (306, 267),
    # memory and queues shared with the whole machine
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192),
    "semctl": (66, 191), "mq_open": (240, 180), "mq_unlink": (241, 181),
    # doors into the kernel that a calculation does not need
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "personality": (135, 92), "modify_ldt": (154, None), "iopl": (172, None),
    "ioperm": (173, None), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42), "uselib": (134, None),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "set_mempolicy_home_node": (450, 450),
    # the machine itself
    "reboot": (169, 142), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "acct": (163, 89), "syslog": (103, 116),
    "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "vhangup": (153, 58),
    # identity and further filters
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "seccomp": (317, 277),
    # judged by their arguments, see RULES
    "prctl": (157, 167), "fcntl": (72, 25), "ioctl": (16, 29),
}  # fmt: skip

OPENING: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "creat": (85, None), "truncate": (76, 45),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "unlink": (87, None), "unlinkat": (263, 35),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "readlink": (89, None), "readlinkat": (267, 78),
    "chdir": (80, 49), "fchdir": (81, 50),
}  # fmt: skip
"""Calls that reach files by name, refused as well where nothing else walls the file system off."""

SELF = -1
"""Stands for the process's own id in a rule."""


class Condition(NamedTuple):
    """Holds when argument number ``argument``, under ``mask``, equals one of ``values``."""

    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF


ALLOWED_WHEN: dict[str, tuple[Condition, ...]] = {
    "kill": (Condition(0, (SELF,)),),
    "prlimit64": (Condition(0, (0, SELF)),),
    "sched_setaffinity": (Condition(0, (0, SELF)),),
    "socketpair": (Condition(0, (1,)), Condition(1, (1,), mask=0xF)),  # AF_UNIX, SOCK_STREAM
    "tgkill": (Condition(0, (SELF,)),),
}
"""Calls that are allowed when all their conditions hold."""

PROGRAMS = frozenset({
    "fork", "vfork", "execve", "execveat", "kill", "tkill", "tgkill", "setsid", "setpgid", "prlimit64", "setpriority",
    "sched_setaffinity", "utime", "utimes", "futimesat", "utimensat",
})  # fmt: skip
"""Calls left to a step that starts programs. It has a process namespace of its own: no signal leaves it."""

_NEW_NAMESPACES = 0x7E020080
_OWNERS_RIGHTS = 0o6000
PROGRAMS_WHEN: dict[str, tuple[Condition, ...]] = {
    "clone": (Condition(0, (0,), mask=_NEW_NAMESPACES),),
    "chmod": (Condition(1, (0,), mask=_OWNERS_RIGHTS),),
    "fchmod": (Condition(1, (0,), mask=_OWNERS_RIGHTS),),
    "fchmodat": (Condition(2, (0,), mask=_OWNERS_RIGHTS),),
}
"""Calls that such a step may make when all their conditions hold."""

NETWORK = frozenset({"connect", "accept", "accept4"})
"""Further calls left to such a step when hosts are opened to it; its network namespace holds its proxy alone."""

NETWORK_WHEN: dict[str, tuple[Condition, ...]] = {
    "socket": (
        Condition(0, (2, 10)),
        Condition(1, (1,), mask=0xF),
        Condition(2, (0, 6)),
    ),  # TCP over IPv4 and IPv6
}
"""Calls that it may then make when all their conditions hold."""

REFUSED_WHEN: dict[str, Condition] = {
    "fcntl": Condition(1, (8, 10, 15, 1026, 1031)),  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY, F_SETPIPE_SZ
    "ioctl": Condition(1, (0x5412, 0x541C)),  # TIOCSTI, TIOCLINUX
    "prctl": Condition(0, (1, 35)),  # PR_SET_PDEATHSIG, PR_SET_MM
}
"""Calls that are refused when their condition holds."""
