# SPDX-License-Identifier: GPL-2.0-or-later
"""traffic - frames that check themselves, through ports and byte streams

    a, b = Port("/tmp/a.ctl"), Port("/tmp/b.ctl")
    exchange([(a, b), (b, a)], 1000)  numbered frames of random sizes, paced
    pack(frame), Reader(fd).frame()   frames in a byte stream
"""
import os
import random
import select
import socket
import struct
import time

from vdeclient import Client

ETHERTYPE = 0x88B5  # IEEE 802: for experiments


class Port(Client):
    """A port of a switch, with an address of its own."""
    count = 0

    def __init__(self, directory):
        super().__init__(directory)
        Port.count += 1
        self.mac = struct.pack("!HI", 0x0200, Port.count)

    def fileno(self):
        return self.data.fileno()


def frame(dst, src, number, size, rng):
    """A frame of @size bytes; its payload tells its number and its size."""
    head = dst + src + struct.pack("!H", ETHERTYPE)
    body = struct.pack("!IH", number, size) + rng.randbytes(size)
    return (head + body)[:size]


def pack(data):
    return struct.pack("!H", len(data)) + data


class Reader:
    """Frames from a descriptor with a byte stream."""

    def __init__(self, fd):
        self.fd, self.buf = fd, b""

    def frame(self, seconds=10.0):
        """The next frame; None at EOF or after that time."""
        end = time.monotonic() + seconds
        while True:
            if len(self.buf) >= 2:
                size = struct.unpack("!H", self.buf[:2])[0]
                if len(self.buf) >= 2 + size:
                    data = self.buf[2:2 + size]
                    self.buf = self.buf[2 + size:]
                    return data
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                return None
            more = os.read(self.fd, 65536)
            if not more:
                return None
            self.buf += more


class Flow:
    """Numbered frames from one port to another, a window at a time."""

    def __init__(self, src, dst, count, window, sizes, seed):
        rng = random.Random(seed)
        self.src, self.dst, self.window = src, dst, window
        self.frames = [frame(dst.mac, src.mac, i, rng.randint(*sizes), rng)
                       for i in range(count)]
        self.sent = self.got = 0
        self.error = None

    def work(self):
        while (self.sent < len(self.frames) and
               self.sent - self.got < self.window):
            try:
                self.src.data.send(self.frames[self.sent],
                                   socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            self.sent += 1

    def take(self, data):
        want = self.frames[self.got]
        if data != want.ljust(max(60, len(want)), b"\0") and data != want:
            self.error = "frame %d differs" % self.got
        self.got += 1

    def done(self):
        return self.error or self.got == len(self.frames)


def learn(ports):
    """Lets the switches know where each port is, and waits until they do."""
    for p in ports:
        hello = b"\xff" * 6 + p.mac + struct.pack("!H", ETHERTYPE) + bytes(46)
        for _ in range(100):
            p.send(hello)
            if all(q is p or q.recv(0.2) for q in ports):
                break
        else:
            raise TimeoutError("a broadcast does not arrive")
    for p in ports:
        while p.recv(0.05):
            pass


def exchange(pairs, count, sizes=(14, 9000), window=8, seconds=15):
    """Raises unless every frame of every flow arrives intact, in order."""
    learn(list({id(p): p for pair in pairs for p in pair}.values()))
    flows = [Flow(a, b, count, window, sizes, i)
             for i, (a, b) in enumerate(pairs)]
    end = time.monotonic() + seconds
    while not all(f.done() for f in flows):
        for f in flows:
            f.work()
        ready = select.select([f.dst for f in flows], [], [], 1)[0]
        for f in flows:
            if f.dst in ready and not f.done():
                f.take(f.dst.data.recv(65536))
        if time.monotonic() > end:
            break
    for f in flows:
        if f.error or f.got < count:
            raise AssertionError(f.error or "%d of %d frames arrived" %
                                 (f.got, count))
