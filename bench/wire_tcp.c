// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wire_tcp - how fast a wire lets one TCP connection through
 *
 * Two network namespaces have a tap each; the probe moves frames between these
 * and the wire, and has both ends of a connection, which send in both
 * directions at once for as long as they may. All of it is one process: its
 * sockets and descriptors stay in the namespace where they were made. It needs
 * no privileges where user namespaces are allowed.
 *
 * What leaves the wire is measured, whatever TCP makes of it. The rate is the
 * size of what arrived by the time it took, of those times only at whose
 * beginning there was enough on its way that the line could not become idle
 * ("busy_percent"): how well TCP fills a line is not the wire's doing. Each
 * frame that went in is known by a hash, so lost ones do not stay on their way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "common/cli.h"
#include "wireprobe.h"

#define TAP "wire0"
#define PORT 4000
#define TAP_FRAMES 64 /* of one turn */
#define FIFO ((size_t)1 << 17) /* a power of two */
#define LOOK_AHEAD 256 /* frames that may be lost in a row */
#define LINE_MUST_HAVE (4 * PROBE_MS) /* of work, or it may become idle */
#define SETTLES (10 * PROBE_MS) /* more waits when what leaves is late */
#define IDLE_LIMIT (20 * PROBE_SEC)

struct passing {
	uint64_t hash;
	size_t size;
};

/* One direction. */
struct lane {
	int tap_in, to, from, tap_out;
	struct stream tx, rx;
	struct passing *fifo;
	size_t in, out; /* counted for ever */
	uint64_t waiting; /* bytes on their way */
	uint64_t enough; /* of these: the line is busy */
	bool busy; /* at @last */
	uint64_t run; /* when that began */
	uint64_t last; /* when all that had arrived was read */
	double bytes; /* since then */
	double busy_ns, busy_bytes;
	uint64_t lost, strange, frames;
};

struct host {
	int tap, sock;
	const char *addr;
};

/* ---- hosts ---- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("unable to write %s: %s", path, strerror(errno));
	close(fd);
}

/* Root of a user namespace of our own, unless we are root. */
static void gain_privileges(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0)
		return;
	if (unshare(CLONE_NEWUSER) < 0)
		die("unable to make a user namespace: %s", strerror(errno));
	write_file("/proc/self/setgroups", "deny");
	str_fmt(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	str_fmt(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

static void interface_ioctl(int s, unsigned long request, struct ifreq *ifr,
			    const char *what)
{
	if (ioctl(s, request, ifr) < 0)
		die("unable to set %s of a tap: %s", what, strerror(errno));
}

static void set_address(int s, struct ifreq *ifr, const char *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	inet_pton(AF_INET, addr, &sin.sin_addr);
	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
	interface_ioctl(s, SIOCSIFADDR, ifr, "the address");
	inet_pton(AF_INET, "255.255.255.0", &sin.sin_addr);
	memcpy(&ifr->ifr_netmask, &sin, sizeof(sin));
	interface_ioctl(s, SIOCSIFNETMASK, ifr, "the netmask");
}

/* In a namespace of its own, which is that of this process then. */
static void host_init(struct host *h, const char *addr, int mtu)
{
	struct ifreq ifr = { .ifr_name = TAP };
	int s;

	*h = (struct host){ .addr = addr };
	if (unshare(CLONE_NEWNET) < 0)
		die("unable to make a network namespace: %s", strerror(errno));
	h->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (h->tap < 0)
		die("unable to open /dev/net/tun: %s", strerror(errno));
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	interface_ioctl(h->tap, TUNSETIFF, &ifr, "the name");
	write_file("/proc/sys/net/ipv6/conf/" TAP "/disable_ipv6", "1");
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ifr.ifr_mtu = mtu;
	interface_ioctl(s, SIOCSIFMTU, &ifr, "the MTU");
	set_address(s, &ifr, addr);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	interface_ioctl(s, SIOCSIFFLAGS, &ifr, "the state");
	close(s);
	h->sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			 0);
	if (h->sock < 0)
		die("unable to make a socket: %s", strerror(errno));
	/* It fills the line at once. BBR paces by timers; CUBIC takes a longer
	 * round trip for a sign that it should stop. */
	setsockopt(h->sock, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

static void limit_window(int sock, int bytes)
{
	if (setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)))
		die("unable to set a window: %s", strerror(errno));
}

static struct sockaddr_in address_of(const struct host *h)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_port = htons(PORT) };

	inet_pton(AF_INET, h->addr, &sin.sin_addr);
	return sin;
}

static void start_connection(const struct host *from, const struct host *to)
{
	struct sockaddr_in sin = address_of(to);

	if (bind(to->sock, (const struct sockaddr *)&sin, sizeof(sin)) ||
	    listen(to->sock, 1))
		die("unable to listen: %s", strerror(errno));
	if (connect(from->sock, (const struct sockaddr *)&sin, sizeof(sin)) &&
	    errno != EINPROGRESS)
		die("unable to connect: %s", strerror(errno));
}

/* ---- the wire between them ---- */

static void lane_init(struct lane *l, const struct subject *s, int d,
		      const struct host *hosts, uint64_t rate)
{
	*l = (struct lane){ .tap_in = hosts[d].tap,
			    .to = s->to[d],
			    .from = s->from[d],
			    .tap_out = hosts[!d].tap };
	l->fifo = calloc(FIFO, sizeof(*l->fifo));
	if (!l->fifo)
		die("unable to allocate");
	l->enough = rate * LINE_MUST_HAVE / PROBE_SEC;
	probe_stream_init(&l->tx);
	probe_stream_init(&l->rx);
	probe_nonblock(l->to);
	probe_nonblock(l->from);
}

static uint64_t hash_of(const uint8_t *frame, size_t len)
{
	const uint64_t key[2] = { len };

	return hash_bytes(frame, len < 96 ? len : 96, key);
}

static void lane_note(struct lane *l, const uint8_t *frame, size_t len)
{
	if (l->in - l->out == FIFO)
		die("unable to keep in mind what is on its way");
	l->fifo[l->in++ & (FIFO - 1)] = (struct passing){ hash_of(frame, len),
							  len + STREAM_HDR };
	l->waiting += len + STREAM_HDR;
}

/* False: this is none of those that went in. */
static bool lane_find(struct lane *l, const uint8_t *frame, size_t len)
{
	uint64_t hash = hash_of(frame, len);
	size_t i, end = l->in;

	if (end - l->out > LOOK_AHEAD)
		end = l->out + LOOK_AHEAD;
	for (i = l->out; i != end; i++) {
		if (l->fifo[i & (FIFO - 1)].hash == hash)
			break;
	}
	if (i == end)
		return false;
	l->lost += i - l->out;
	for (; l->out <= i; l->out++)
		l->waiting -= l->fifo[l->out & (FIFO - 1)].size;
	return true;
}

static void lane_enter(struct lane *l)
{
	uint8_t frame[STREAM_FRAME_MAX];
	size_t pending;
	ssize_t n;

	stream_pending(&l->tx, &pending);
	for (int i = 0; i < TAP_FRAMES && pending < PROBE_BUF / 2; i++) {
		n = read(l->tap_in, frame, sizeof(frame));
		if (n <= 0)
			break;
		if (stream_add(&l->tx, frame, (size_t)n))
			lane_note(l, frame, (size_t)n);
		pending += (size_t)n;
	}
	probe_flush(&l->tx, l->to);
}

static void lane_leave(struct lane *l)
{
	const uint8_t *frame;
	size_t len;
	ssize_t n = probe_fill_stream(&l->rx, l->from);
	uint64_t now = probe_now();

	if (n == -EAGAIN)
		return;
	if (n <= 0)
		die("unable to receive: the wire has ended");
	while ((frame = stream_next(&l->rx, &len))) {
		l->frames++;
		l->bytes += (double)(len + STREAM_HDR);
		l->strange += !lane_find(l, frame, len);
		if (write(l->tap_out, frame, len) < 0)
			l->lost++;
	}
	if ((size_t)n == PROBE_BUF)
		return; /* there is more that has left the wire by now */
	if (l->busy && l->last - l->run > SETTLES) {
		l->busy_ns += (double)(now - l->last);
		l->busy_bytes += l->bytes;
	}
	l->last = now;
	l->bytes = 0;
	if (!l->busy)
		l->run = now;
	l->busy = l->waiting && l->waiting >= l->enough;
}

/* ---- the connection ---- */

static void use_socket(int sock, short events)
{
	static uint8_t buf[4 * PROBE_BUF];

	if (events & (POLLERR | POLLHUP))
		die("unable to go on: the connection has ended");
	while (events & POLLIN && read(sock, buf, sizeof(buf)) > 0)
		;
	if (events & POLLOUT && write(sock, buf, sizeof(buf)) < 0 &&
	    errno != EAGAIN)
		die("unable to send: %s", strerror(errno));
}

static void turn(struct lane *lanes, const int socks[2])
{
	struct pollfd fds[8] = { 0 };
	size_t pending;

	for (int d = 0; d < 2; d++) {
		struct lane *l = &lanes[d];
		struct pollfd *f = &fds[4 * d];

		stream_pending(&l->tx, &pending);
		f[0] = (struct pollfd){ l->from, POLLIN, 0 };
		f[1] = (struct pollfd){ pending ? -1 : l->tap_in, POLLIN, 0 };
		f[2] = (struct pollfd){ pending ? l->to : -1, POLLOUT, 0 };
		f[3] = (struct pollfd){ socks[d], POLLIN | POLLOUT, 0 };
	}
	poll(fds, ARRAY_SIZE(fds), 100);
	for (int d = 0; d < 2; d++) {
		const struct pollfd *f = &fds[4 * d];

		if (f[0].revents)
			lane_leave(&lanes[d]);
		if (f[1].revents || f[2].revents)
			lane_enter(&lanes[d]);
		use_socket(socks[d], f[3].revents);
	}
}

/* Frames pass until both ends have the connection; @socks are these then. */
static void connect_hosts(struct lane *lanes, const struct host *hosts,
			  int socks[2])
{
	const int none[2] = { -1, -1 };
	uint64_t end = probe_now() + IDLE_LIMIT;

	start_connection(&hosts[0], &hosts[1]);
	do {
		turn(lanes, none);
		socks[1] = accept4(hosts[1].sock, NULL, NULL,
				   SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (probe_now() > end)
			die("unable to connect through the wire");
	} while (socks[1] < 0);
	socks[0] = hosts[0].sock;
}

static void print_lane(const char *name, const struct lane *l, double total)
{
	printf("\"%s\": {\"bytes_per_s\": %.3f, \"busy_percent\": %.2f, "
	       "\"frames\": %llu, \"lost\": %llu, \"strange\": %llu}",
	       name, l->busy_ns > 0 ? 1e9 * l->busy_bytes / l->busy_ns : 0.,
	       100. * l->busy_ns / total, (unsigned long long)l->frames,
	       (unsigned long long)l->lost, (unsigned long long)l->strange);
}

void wire_tcp_mode(const struct probe_options *o)
{
	struct subject s;
	struct host hosts[2];
	struct lane lanes[2];
	uint64_t rate = (uint64_t)o->rate, begin, ns, cpu;
	int socks[2], mtu = (int)o->len - ETHER_HDR_LEN;

	subject_start(&s, o->command);
	gain_privileges();
	host_init(&hosts[0], "10.0.0.1", mtu);
	host_init(&hosts[1], "10.0.0.2", mtu);
	for (int d = 0; d < 2; d++) {
		if (o->window)
			limit_window(hosts[d].sock, (int)o->window);
		lane_init(&lanes[d], &s, d, hosts, rate);
	}
	connect_hosts(lanes, hosts, socks);
	for (int d = 0; d < 2; d++)
		lanes[d].busy_ns = lanes[d].busy_bytes = 0;
	begin = probe_now();
	cpu = probe_cpu(s.pid);
	ns = (uint64_t)o->ms * PROBE_MS;
	do {
		turn(lanes, socks);
		subject_check(&s);
	} while (probe_now() < begin + ns);
	ns = probe_now() - begin;
	cpu = probe_cpu(s.pid) - cpu;
	subject_stop(&s);
	printf("{");
	print_lane("lr", &lanes[0], (double)ns);
	printf(", ");
	print_lane("rl", &lanes[1], (double)ns);
	printf(", \"cpu_percent\": %.3f}\n", 100. * (double)cpu / (double)ns);
}
