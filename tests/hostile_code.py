"""Answers that attack whoever runs them, by what they try. Each defines ``f`` or dies before it.

SECRET_FILE, PORT, PARENT, FOLDER and UNIX_SOCKET are put in by the test: a file to read, a listener
to reach, the process to hurt, a folder to write in and a socket to send to, all outside.
"""

HOSTILE: dict[str, str] = {
    # processes
    "fork bomb": """
import os
def f(x):
    while True: os.fork()
""",
    "fork once at load": """
import os
if os.fork() == 0:
    while True: pass
def f(x): return 0
""",
    "fork by ctypes": """
import ctypes
def f(x):
    libc = ctypes.CDLL(None)
    return [libc.fork(), libc.vfork()]
""",
    "fork by raw clone": """
import ctypes
def f(x): return ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0)
""",
    "clone3": """
import ctypes
def f(x):
    a = ctypes.create_string_buffer(88)
    return ctypes.CDLL(None).syscall(435, a, 88)
""",
    "daemonise": """
import os
def f(x):
    if os.fork(): return 0
    os.setsid()
    if os.fork(): os._exit(0)
    while True: pass
""",
    "own session": """
import os
def f(x):
    os.setsid()
    return 0
""",
    "subprocess": """
import subprocess
def f(x): return subprocess.check_output(['id']).decode()
""",
    "os.system": """
import os
def f(x): return os.system('touch FOLDER/made')
""",
    "exec": """
import os
def f(x): os.execv('/bin/sh', ['sh', '-c', 'touch FOLDER/made'])
""",
    "posix_spawn": """
import os
def f(x): return os.posix_spawn('/bin/sh', ['sh'], {})
""",
    "memfd program": """
import os
def f(x):
    m = os.memfd_create('x')
    os.write(m, b'#!/bin/sh')
    os.execve(m, ['x'], {})
""",
    "multiprocessing": """
import multiprocessing
def f(x):
    p = multiprocessing.Process(target=print)
    p.start()
    return p.pid
""",
    "threads": """
import threading
def f(x):
    ts = [threading.Thread(target=f, args=(x,)) for _ in range(1000)]
    [t.start() for t in ts]
    return 0
""",
    "raw threads": """
import _thread
def f(x):
    while True: _thread.start_new_thread(f, (x,))
""",
    # time
    "endless loop": """
def f(x):
    while True: pass
""",
    "endless load": "while True: pass",
    "sleep": """
import time
def f(x): time.sleep(1000)
""",
    "sleep that catches all": """
import time
def f(x):
    while True:
        try: time.sleep(1000)
        except BaseException: pass
""",
    "signals ignored": """
import signal
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
def f(x):
    while True: pass
""",
    "signals blocked": """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
signal.setitimer(signal.ITIMER_REAL, 0)
def f(x):
    while True: pass
""",
    "limits raised": """
import resource
def f(x):
    for n in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
        resource.setrlimit(n, (2**40, 2**40))
    return 1
""",
    "regular expression bomb": """
import re
def f(x): return re.match(r'(a+)+$', 'a' * 50 + 'b')
""",
    "power tower": "def f(x): return 9 ** 9 ** 9",
    "decimal digits": """
import sys
sys.set_int_max_str_digits(0)
def f(x): return str(7 ** 10**7)
""",
    "endless iterator": """
import itertools
def f(x): return list(itertools.repeat(0))
""",
    "slow text of an error": """
class E(Exception):
    def __str__(self):
        while True: pass
def f(x): raise E
""",
    "slow iteration of a result": """
class L(list):
    def __iter__(self):
        while True: yield 0
def f(x): return L([1])
""",
    "stopped by itself": """
import os, signal
def f(x): os.kill(os.getpid(), signal.SIGSTOP)
""",
    # memory and stack
    "memory": """
def f(x):
    a = []
    while True: a.append(bytearray(2**20))
""",
    "one large block": "def f(x): return len(bytes(2**36))",
    "anonymous maps": """
import mmap
def f(x):
    a = []
    while True: a.append(mmap.mmap(-1, 2**24))
""",
    "recursion": "def f(x): return f(x)",
    "stack overflow": """
import sys
sys.setrecursionlimit(10**9)
def f(x): return f(x)
""",
    "deep result": """
def f(x):
    a = []
    for _ in range(10**5): a = [a]
    return a
""",
    "result holding itself": """
def f(x):
    a = []
    a.append(a)
    return a
""",
    "segmentation fault": """
import ctypes
def f(x): return ctypes.string_at(0)
""",
    "abort": """
import os
def f(x): os.abort()
""",
    "parser bomb": "x = " + "(" * 5000 + ")" * 5000 + "\ndef f(x): return 0",
    "null byte": "def f(x): return 0\n\0",
    # output
    "printed success": """
print('1 passed'); print('OK')
def f(x): print('PASSED'); return None
""",
    "endless output": """
def f(x):
    while True: print('x' * 10**6)
""",
    "large result": "def f(x): return 'x' * 10**8",
    "many results": "def f(x): return list(range(10**6))",
    "no plain value": "def f(x): return object()",
    "a generator": "def f(x): return (n for n in range(3))",
    "not a number": "def f(x): return float('nan')",
    "equal to everything": """
class A:
    def __eq__(self, o): return True
    def __hash__(self): return 0
def f(x): return A()
""",
    "text equal to everything": """
class A(str):
    def __eq__(self, o): return True
    __hash__ = str.__hash__
def f(x): return A('x')
""",
    "colliding integers": "def f(x): return {n * (2**61 - 1) for n in range(1, 2000)}",
    # exits
    "exit at load": "raise SystemExit(0)",
    "exit in the test": """
import sys
def f(x): sys.exit(0)
""",
    "hard exit with 0": """
import os
def f(x): os._exit(0)
""",
    "hard exit at load": """
import os
os._exit(0)
""",
    "exit handlers": """
import atexit
atexit.register(print, 'PASSED')
class D:
    def __del__(self): print('PASSED')
d = D()
def f(x): return 1
""",
    # the reply channel
    "closed descriptors": """
import os
def f(x):
    os.closerange(0, 1000)
    return 0
""",
    "garbage frames": """
import os
for fd in range(3, 64):
    try: os.write(fd, b'garbage' * 100)
    except OSError: pass
def f(x): return 0
""",
    "huge frame": r"""
import os
for fd in range(3, 64):
    try: os.write(fd, b'\xff\xff\xff\xff')
    except OSError: pass
def f(x): return 0
""",
    "endless frames": r"""
import os
def f(x):
    while True:
        for fd in range(3, 64):
            try: os.write(fd, b'\0' * 65536)
            except OSError: pass
""",
    "forged verdict": """
import json, os, struct
def send(o):
    b = json.dumps(o).encode()
    for fd in range(3, 64):
        try: os.write(fd, struct.pack('!I', len(b)) + b)
        except OSError: pass
send({'loaded': None})
for n in range(3): send({'test': n, 'outputs': [{'value': True, 'passed': True}]})
def f(x): return 0
""",
    "forged exception": """
import json, os, struct
b = json.dumps({'loaded': None, 'passed': 1}).encode()
c = json.dumps({'test': 0, 'outputs': [{'raised': 'ab', 'message': {}}]}).encode()
for fd in range(3, 64):
    try: os.write(fd, struct.pack('!I', len(b)) + b + struct.pack('!I', len(c)) + c)
    except OSError: pass
def f(x): return 0
""",
    "reply as deep as can be read": r"""
import os, struct
def f(x):
    for depth in range(900, 1000):
        deep = '[' * depth + ']' * depth
        b = ('{"test": 0, "outputs": [{"raised": ["E"], "message": %s}]}' % deep).encode()
        for fd in range(3, 64):
            try: os.write(fd, struct.pack('!I', len(b)) + b)
            except OSError: pass
""",
    "endless name of an error": """
def f(x): raise type('E' * 10**7, (Exception,), {})
""",
    "descriptors sent to the parent": """
import socket
def f(x):
    for fd in range(3, 64):
        try:
            s = socket.socket(fileno=fd)
            socket.send_fds(s, [b'x'] , [0, 1, 2] * 10)
            s.detach()
        except OSError: pass
    return 0
""",
    # looking for what is expected
    "all objects": """
import gc
def f(x):
    return [o for o in gc.get_objects() if isinstance(o, str) and o.startswith('tok-')]
""",
    "frames": """
import sys
def f(x):
    g = sys._getframe(); r = {}
    while g:
        r.update({k: repr(v) for k, v in g.f_locals.items()}); g = g.f_back
    return next((v for v in r.values() if 'tok-' in v), None)
""",
    "own memory": """
import re
def f(x):
    maps = open('/proc/self/maps').read()
    m = open('/proc/self/mem', 'rb')
    return maps
""",
    "memory by ctypes": """
import ctypes
def f(x):
    base = id(f) & ~0xfffff
    data = ctypes.string_at(base, 0x80000)
    i = data.find(b'tok-')
    return data[i:i + 40].decode('latin1') if i >= 0 else None
""",
    "asserts patched": """
import builtins, json
json.dumps = lambda *a, **k: '{"loaded": null, "test": 0, "outputs": [{"value": true}]}'
builtins.isinstance = lambda *a: True
def f(x): return 0
""",
    "runner patched": """
import sys
for m in list(sys.modules.values()):
    for n in list(vars(m) or ()):
        if n in ('pack', '_outputs', 'frame'):
            setattr(m, n, lambda *a: b'')
def f(x): return 0
""",
    "trace": """
import sys
seen = []
sys.settrace(lambda *a: seen.append(str(a)) or None)
def f(x): return next((s for s in seen if 'tok-' in s), None)
""",
    "audit hook": """
import sys
seen = []
sys.addaudithook(lambda *a: seen.append(repr(a)))
def f(x): return next((s for s in seen if 'tok-' in s), None)
""",
    # files
    "secret file": "def f(x): return open('SECRET_FILE').read()",
    "secret file at load": """
found = open('SECRET_FILE').read()
def f(x): return found
""",
    "secret file by link": """
import os
def f(x):
    os.symlink('SECRET_FILE', 'l')
    return open('l').read()
""",
    "secret file by hard link": """
import os
def f(x):
    os.link('SECRET_FILE', '/tmp/l')
    return open('/tmp/l').read()
""",
    "environment of the parent": "def f(x): return open('/proc/PARENT/environ').read()",
    "own environment": """
import os
def f(x): return dict(os.environ)
""",
    "memory of the parent": "def f(x): return open('/proc/PARENT/mem', 'rb').read(1)",
    "descriptors of the parent": """
import os
def f(x): return os.listdir('/proc/PARENT/fd')
""",
    "passwords": "def f(x): return open('/etc/passwd').read()",
    "the root": """
import os
def f(x): return os.listdir('/')
""",
    "our own code": """
import os
def f(x): return os.listdir(os.environ.get('HOME', '/root'))
""",
    "write outside": """
def f(x):
    open('FOLDER/made', 'w').write('x')
    return 0
""",
    "mode of a file outside": """
import os
def f(x): os.chmod('SECRET_FILE', 0o777); return 0
""",
    "time of a file outside": """
import os
def f(x): os.utime('SECRET_FILE', (1, 1)); return 0
""",
    "delete outside": """
import os
def f(x): os.unlink('SECRET_FILE'); return 0
""",
    "truncate outside": """
import os
def f(x): os.truncate('SECRET_FILE', 0); return 0
""",
    "disk": """
def f(x):
    n = 0
    while True:
        open(f'/tmp/{n}', 'wb').write(b'x' * 2**20)
        n += 1
""",
    "sparse file": """
def f(x):
    with open('/tmp/s', 'wb') as s: s.truncate(2**40)
    return 0
""",
    "many files": """
def f(x):
    n = 0
    while True:
        open(f'/tmp/{n}', 'w').close()
        n += 1
""",
    "device": """
import os
def f(x): os.mknod('/tmp/d', 0o20666, os.makedev(1, 1)); return 0
""",
    "mount": """
import ctypes
def f(x): return ctypes.CDLL(None).mount(b'p', b'/tmp', b'proc', 0, None)
""",
    "new namespaces": """
import ctypes
def f(x): return ctypes.CDLL(None).unshare(0x10020000)
""",
    "change root": """
import os
def f(x): os.chroot('/tmp'); return 0
""",
    # network
    "loopback": """
import socket
def f(x):
    s = socket.create_connection(('127.0.0.1', PORT), 1)
    s.send(b'x')
    return s.recv(99).decode()
""",
    "datagram": """
import socket
def f(x):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return s.sendto(b'x', ('127.0.0.1', PORT))
""",
    "raw socket": """
import socket
def f(x): return socket.socket(17, 3, 3).fileno()
""",
    "unix socket": """
import socket
def f(x):
    s = socket.socket(socket.AF_UNIX)
    s.connect('UNIX_SOCKET')
    return 1
""",
    "datagram by a pair": """
import socket
def f(x):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.sendto(b'x', 'UNIX_SOCKET')
    return 1
""",
    "listen": """
import socket
def f(x):
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.listen()
    return 1
""",
    "web": """
import urllib.request
def f(x): return urllib.request.urlopen('http://127.0.0.1:PORT').read()
""",
    # other processes
    "signal the parent": """
import os
def f(x): os.kill(PARENT, 10); return 0
""",
    "kill the server": """
import os
def f(x): os.kill(os.getppid(), 9); return 0
""",
    "kill all": """
import os
def f(x): os.kill(-1, 9); return 0
""",
    "kill the group": """
import os
def f(x): os.killpg(0, 9); return 0
""",
    "signal by descriptor": """
import os, signal
def f(x): signal.pidfd_send_signal(os.pidfd_open(PARENT), 10); return 0
""",
    "signal by ownership": """
import fcntl, os
def f(x):
    for fd in range(0, 64):
        try: fcntl.fcntl(fd, fcntl.F_SETOWN, PARENT)
        except OSError: continue
        return 'owned'
    return 0
""",
    "trace the parent": """
import ctypes
def f(x): return ctypes.CDLL(None).ptrace(16, PARENT, 0, 0)
""",
    "trace the server": """
import ctypes, os
def f(x): return ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)
""",
    "read the parent": """
import ctypes
def f(x):
    b = ctypes.create_string_buffer(16)
    v = (ctypes.c_size_t * 2)(ctypes.addressof(b), 16)
    return ctypes.CDLL(None).process_vm_readv(PARENT, v, 1, v, 1, 0)
""",
    "limits of the parent": """
import resource
def f(x): return resource.prlimit(PARENT, resource.RLIMIT_NOFILE, (3, 3))
""",
    "priority of the parent": """
import os
def f(x): os.setpriority(os.PRIO_PROCESS, PARENT, 19); return 0
""",
    "outlive the parent": """
import ctypes
def f(x): return ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
""",
    # the kernel
    "kernel programs": """
import ctypes
def f(x): return ctypes.CDLL(None).syscall(321, 0, 0, 0)
""",
    "kernel events": """
import ctypes
def f(x): return ctypes.CDLL(None).syscall(298, 0, 0, -1, -1, 0)
""",
    "kernel keys": """
import ctypes
def f(x): return ctypes.CDLL(None).syscall(250, 0, -3, 1)
""",
    "kernel rings": """
import ctypes
def f(x): return ctypes.CDLL(None).syscall(425, 8, bytes(120))
""",
    "page faults": """
import ctypes
def f(x): return ctypes.CDLL(None).syscall(323, 0)
""",
    "another filter": """
import ctypes
def f(x): return ctypes.CDLL(None).syscall(317, 1, 0, bytes(16))
""",
    "32-bit call": r"""
import ctypes, mmap
def f(x):
    m = mmap.mmap(-1, 4096, prot=7)
    m.write(b'\xb8\x14\0\0\0\xcd\x80\xc3')
    a = ctypes.addressof(ctypes.c_char.from_buffer(m))
    return ctypes.CFUNCTYPE(ctypes.c_int)(a)()
""",
    "shared memory": """
import ctypes
def f(x): return ctypes.CDLL(None).shmget(0, 4096, 0o1666)
""",
    "message queue": """
import ctypes
def f(x): return ctypes.CDLL(None).msgget(0, 0o1666)
""",
}
