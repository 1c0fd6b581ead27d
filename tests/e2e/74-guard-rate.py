#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""74-guard-rate.py - limits of rates and storms against the clock: a client on
rings that sends as fast as it can, changes meanwhile, and TCP between taps
that has to live with the rate. In namespaces of its own."""
from netns import *
from ringclient import *

sw = Switch("-n", "16", "-t", "g0", "-t", "g1") if \
    os.access("/dev/net/tun", os.R_OK | os.W_OK) else Switch("-n", "16")
taps = len(sw.console.json("port/print")["ports"]) == 2
src, dst, other = [Ring(sw.dir, n, size=1 << 20) for n in (10, 11, 12)]
A, B, C = mac(0xa), mac(0xb), mac(0xc)
src.send(frame(BROADCAST, A))
dst.send(frame(BROADCAST, B))
sw.sync()


def stream(*frames):
    """Sends these again and again until it is killed; the process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        while True:
            for f in frames:
                while not src.put(f):
                    src.publish()
                    select.select([], [], [], 0.0005)
    finally:
        os._exit(1)


def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    until(lambda: src.words[HEAD] == src.words[TAIL])
    src.tail = src.words[TAIL]


def out(port=11):
    """Bytes and frames that left by that port so far, and when that was: an
    answer that took long is of no known time."""
    for _ in range(50):
        begin = time.monotonic()
        p = sw.port(port)["out"]
        end = time.monotonic()
        if end - begin < 0.002:
            break
    return p["bytes"], p["packets"], (begin + end) / 2


def measure(seconds=0.8, port=11):
    """Bytes and frames per second, now."""
    b0, n0, t0 = out(port)
    select.select([], [], [], seconds)
    b1, n1, t1 = out(port)
    return (b1 - b0) / (t1 - t0), (n1 - n0) / (t1 - t0)


def near(value, wanted, percent=1.0):
    return abs(value - wanted) <= wanted * percent / 100


def rate_is(sentence, index, wanted, reason, port=11):
    """Bytes (0) or frames (1) per second within 1 %. The burst is over when
    something is dropped; a sender that is not given the processor for as long
    as the burst lasts spoils a measurement, so there are several."""
    got = []
    until(lambda: sw.drops(10).get(reason))
    while len(got) < 8 and not (got and near(got[-1], wanted)):
        got.append(measure(port=port)[index])
    ok("%s: within 1 %%" % sentence, near(got[-1], wanted) or
       near(sum(got) / len(got), wanted), got)
    ok("and never more than a burst above it", max(got) < 1.35 * wanted, got)


# --- rates ----------------------------------------------------------------

# What the receiver, which reads nothing, does not take is not limited: what
# left its port counts before that.
dgram = frame(B, A, size=1000)
sw.do("guard/rate 10 0 8000000")
pid = stream(dgram)
rate_is("8 MB/s", 0, 8e6, "rate_limit")
sw.do("guard/rate 10 0 2000000", "port/resetcounter 10")
rate_is("changed meanwhile, 2 MB/s", 0, 2e6, "rate_limit")
sw.do("guard/rate 10 20000 0", "port/resetcounter 10")
rate_is("20,000 frames/s", 1, 20e3, "rate_limit")
sw.do("guard/rate 10 20000 4000000", "port/resetcounter 10")
rate_is("of 20,000 frames/s and 4 MB/s the lower one", 0, 4e6, "rate_limit")
sw.do("guard/rate 10 0 0")
got = measure(0.2)
ok("no limit: much more", got[0] > 12e6, got)
end(pid)

# --- storms ---------------------------------------------------------------

kinds = [("broadcast", BROADCAST), ("multicast", b"\1\0\x5e\0\0\1"),
         ("unknown", C)]
for kind, d in kinds:
    sw.do("guard/storm 10 %s 5000 0" % kind, "port/resetcounter 10")
    pid = stream(frame(d, A, size=100))
    rate_is("5000 frames/s of " + kind, 1, 5e3, "storm_" + kind)
    end(pid)
    is_("that is the reason", set(sw.drops(10)), {"storm_" + kind})
sw.do("guard/storm 10 unknown 0 300000", "port/resetcounter 10")
pid = stream(*[frame(d, A, size=300) for _, d in kinds], frame(B, A, size=300))
until(lambda: len(sw.drops(10)) == 3)
rate_is("all at once, each has its own limit: 11,000 frames/s", 1, 11e3,
        "storm_unknown", port=12)
both, floods = measure(0.3)[1], measure(0.3, 12)[1]
end(pid)
ok("and known unicast has none", both - floods > 3 * floods,
   (both, floods))
is_("that is counted by kind", set(sw.drops(10)),
    {"storm_" + k for k, _ in kinds})
sw.do(*["guard/storm 10 %s 0 0" % k for k, _ in kinds])

# --- TCP ------------------------------------------------------------------

RATES = 2500000, 25000000, 125000000


def tcp_rate(a, b, addr, seconds=1.0):
    """Payload per second that arrives, after some time to get going; what of
    the burst is left comes on top."""
    with b:
        server = socket.create_server((addr, 9))
    with a:
        c = socket.socket()
    # Reno lives with a limit that drops; BBR, which probes now and then, gets
    # anything from nothing to all of the rate while that lasts.
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    c.connect((addr, 9))
    s = server.accept()[0]
    server.close()
    stop = threading.Event()
    data = bytes(1 << 16)

    def feed():
        c.settimeout(DEADLINE)
        try:
            while not stop.is_set():
                c.sendall(data)
        except OSError:
            pass

    t = threading.Thread(target=feed, daemon=True)
    t.start()

    def take(seconds):
        n, begin = 0, time.monotonic()
        while time.monotonic() < begin + seconds:
            if readable(s, 0.1):
                n += len(s.recv(1 << 20))
        return n / (time.monotonic() - begin)

    take(0.5)
    rate = take(seconds)
    stop.set()
    s.close()
    t.join(DEADLINE)
    c.close()
    return rate


if taps:
    ns = [Namespace(), Namespace()]
    for i in range(2):
        ns[i].take("g%d" % i, "10.1.0.%d/24" % (i + 1))
    free = tcp_rate(*ns, "10.1.0.2", 0.3)
    note("without a limit: %.0f MB/s" % (free / 1e6))
    for rate in RATES:
        sw.do("guard/rate 1 0 %d" % rate)
        if free < 2 * rate:
            skip_point("TCP gets about its rate", "too slow for it")
            continue
        got = sorted(tcp_rate(*ns, "10.1.0.2") for _ in range(3))
        note("%.1f MB/s allowed, of payload: %s" %
             (rate / 1e6, ", ".join("%.1f MB/s" % (n / 1e6) for n in got)))
        ok("TCP in pieces of 64 KiB gets about its rate, %.1f MB/s" %
           (rate / 1e6), rate * 0.75 < got[1], got)
        ok("and not more", got[-1] < rate * 1.25, got)
    ok("it was dropped for that", sw.drops(1)["rate_limit"])
else:
    skip_point("TCP gets about its rate", "no /dev/net/tun")
src.close()
dst.close()
other.close()
is_("it ends as it should", sw.stop(), 0)
done()
