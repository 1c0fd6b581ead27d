// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel says the same: frames with offloads go into one tap, over a
 * bridge of the kernel, and come out of a second tap that takes none, so that
 * the kernel cuts them; base/offload must have cut them to the same bytes. In
 * a network namespace of its own. Skipped where that or /dev/net/tun is
 * closed.
 */
#include "base/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/packet.h"
#include "../unit/test.h"
#include "base/gro.h"

#define MTU 65521 /* a tap's largest */
#define PATIENCE_MS 5000
#define ROUNDS 3000

static int in_tap = -1, out_tap = -1;
static uint8_t super[PACKET_MAX], got[PACKET_MAX], want[PACKET_MAX];

/* ---- the stage ---- */

static int skip(const char *what)
{
	printf("# skip: unable to %s: %s\n", what, strerror(errno));
	return 77;
}

static int open_tap(const char *name, short flags)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	ifr.ifr_flags = (short)(ifr.ifr_flags | flags);
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool raise_link(int s, const char *name)
{
	struct ifreq ifr = { .ifr_mtu = MTU };

	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	if (ioctl(s, SIOCSIFMTU, &ifr) < 0)
		return false;
	ifr.ifr_flags = IFF_UP;
	return ioctl(s, SIOCSIFFLAGS, &ifr) == 0;
}

static bool enslave(int s, const char *name)
{
	struct ifreq ifr = { .ifr_ifindex = (int)if_nametoindex(name) };

	memcpy(ifr.ifr_name, "br", 3);
	return ioctl(s, SIOCBRADDIF, &ifr) == 0;
}

/* A filter of bridges, where there is one, drops what has wrong checksums and
 * cuts off what is behind the length of IP: it is not what is tested here. */
static void no_filter(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "0", 1) != 1)
		printf("# unable to write %s: %s\n", path, strerror(errno));
	close(fd);
}

static int build_stage(void)
{
	int s;

	if (unshare(CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return skip("make a network namespace");
	no_filter("/proc/sys/net/bridge/bridge-nf-call-iptables");
	no_filter("/proc/sys/net/bridge/bridge-nf-call-ip6tables");
	in_tap = open_tap("in", IFF_VNET_HDR);
	out_tap = open_tap("out", 0);
	if (in_tap < 0 || out_tap < 0)
		return skip("open a tap");
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || ioctl(s, SIOCBRADDBR, "br") < 0)
		return skip("make a bridge");
	if (!enslave(s, "in") || !enslave(s, "out") || !raise_link(s, "in") ||
	    !raise_link(s, "out") || !raise_link(s, "br"))
		return skip("set up a bridge of two taps");
	close(s);
	return 0;
}

static bool inject(const uint8_t *frame, size_t len,
		   const struct frame_offload *o)
{
	uint8_t hdr[OFFLOAD_VNET_LEN];
	struct iovec iov[] = { { hdr, sizeof(hdr) }, { unconst(frame), len } };

	offload_to_vnet(hdr, o, false);
	return writev(in_tap, iov, 2) == (ssize_t)(sizeof(hdr) + len);
}

/* The next of our frames from the other tap; 0 when it does not come. What
 * the interfaces say of themselves is passed over. */
static size_t extract(uint8_t *frame)
{
	static const uint8_t ours[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	struct pollfd p = { .fd = out_tap, .events = POLLIN };

	for (;;) {
		ssize_t n = read(out_tap, frame, PACKET_MAX);

		if (n >= ETHER_HDR_LEN && !memcmp(frame, ours, sizeof(ours)))
			return (size_t)n;
		if (n < 0 && (errno != EAGAIN || poll(&p, 1, PATIENCE_MS) != 1))
			return 0;
	}
}

/* Sends a frame of nobody's protocol, behind which nothing more of what was
 * sent before can come. */
static bool send_mark(uint8_t number)
{
	static const struct frame_offload none;
	uint8_t mark[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };

	mark[14] = number;
	return inject(mark, sizeof(mark), &none);
}

static bool is_mark(const uint8_t *frame, size_t len)
{
	return len == 60 && frame[12] == 0x88 && frame[13] == 0xb5;
}

/* ---- comparing ---- */

static void show(const char *who, const uint8_t *p, size_t len)
{
	printf("# %s (%zu):", who, len);
	for (size_t i = 0; i < size_min(len, 96); i++)
		printf(" %02x", p[i]);
	printf("\n");
}

enum verdict {
	EQUAL,
	DROPPED, /* the kernel does not want it */
	DIFFERENT
};

/* The kernel's frames up to the mark @number, against ours. */
static enum verdict collect(struct offload_cut *c, uint8_t number)
{
	enum verdict v = DROPPED;
	size_t n;

	while ((n = extract(got)) && !is_mark(got, n)) {
		ssize_t m = offload_cut_copy(c, want, sizeof(want));

		if (v == DROPPED)
			v = EQUAL;
		if (v == DIFFERENT || ((size_t)m == n && !memcmp(got, want, n)))
			continue;
		show("kernel", got, n);
		show("ours", want, (size_t)m);
		v = DIFFERENT;
	}
	if (!n || got[14] != number) {
		printf("# the mark has not come\n");
		return DIFFERENT;
	}
	if (v == EQUAL && offload_cut_len(c)) {
		printf("# the kernel made fewer\n");
		return DIFFERENT;
	}
	return v;
}

static enum verdict compare(const uint8_t *frame, size_t len,
			    const struct frame_offload *o)
{
	static uint8_t number;
	struct offload_cut c;

	if (!offload_cut_start(&c, frame, len, o, NULL)) {
		printf("# we refuse it\n");
		return DIFFERENT;
	}
	if (!inject(frame, len, o))
		return errno == EINVAL ? DROPPED : DIFFERENT;
	if (!send_mark(++number)) {
		printf("# unable to send a mark: %s\n", strerror(errno));
		return DIFFERENT;
	}
	return collect(&c, number);
}

static bool same(const struct packet *k)
{
	struct frame_offload o;
	size_t len = packet_make(k, super, &o);

	if (!k->udp && k->flags & 0x80)
		o.gso_type |= FRAME_GSO_ECN;
	if (!offload_admit(super, len, &o))
		return false;
	return compare(super, len, &o) == EQUAL;
}

/* ---- behaviours ---- */

static const struct packet tcp4 = { .version = 4,
				    .ttl = 64,
				    .flags = 0x18,
				    .id = 1,
				    .port = 4000,
				    .seq = 1000,
				    .payload = 20000,
				    .gso_size = 1460 };
static const struct packet udp4 = { .version = 4,
				    .udp = true,
				    .ttl = 64,
				    .port = 4000,
				    .payload = 20000,
				    .gso_size = 1472 };

static void tcp_over_ipv4(void)
{
	struct packet k = tcp4;

	CHECK(same(&k));
	k.tcp_options = 12;
	k.gso_size = 1448;
	CHECK(same(&k));
	k.df = true;
	k.tos = 3;
	k.id = 0xfffe;
	k.seq = UINT32_MAX - 3000;
	CHECK(same(&k));
	k.tcp_options = 40;
	k.options = 40;
	k.gso_size = 1381;
	k.payload = 20011;
	CHECK(same(&k));
}

static void tcp_over_ipv6(void)
{
	struct packet k = tcp4;

	k.version = 6;
	CHECK(same(&k));
	k.tcp_options = 12;
	k.tos = 0xb8;
	k.seq = UINT32_MAX - 3000;
	k.gso_size = 1427;
	k.payload = 20011;
	CHECK(same(&k));
	k.options = 8;
	CHECK(same(&k));
	k.options = 112;
	k.tcp_options = 0;
	CHECK(same(&k));
}

static void all_flags_of_tcp(void)
{
	struct packet k = tcp4;
	bool ok = true;

	k.payload = 4000;
	for (int flags = 0; flags < 256; flags++) {
		k.flags = (uint8_t)flags;
		k.version = flags % 3 ? 4 : 6;
		ok &= same(&k);
	}
	CHECK(ok);
}

static void udp_over_both(void)
{
	struct packet k = udp4;
	bool ok = true;

	CHECK(same(&k));
	k.version = 6;
	CHECK(same(&k));
	k.gso_size = 999;
	k.payload = 3000;
	/* Among so many there are sums of 0. */
	for (unsigned int port = 0; port < 300; port++) {
		k.version = port & 1 ? 4 : 6;
		k.gso_size = (uint16_t)(1 + port % 7);
		k.payload = 8 + port % 5;
		k.port = (uint16_t)(port * 211);
		k.id = (uint16_t)(port * 1001);
		ok &= same(&k);
	}
	CHECK(ok);
	k.gso_size = 100;
	k.payload = (size_t)OFFLOAD_UDP_SEGS * 100;
	CHECK(same(&k));
}

static void odd_and_extreme_sizes(void)
{
	static const uint16_t sizes[] = { 1, 2, 3, 7, 64, 535, 1459, 8999 };
	struct packet k = tcp4;
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t more = 0; more < 4; more++) {
			k.version = more & 1 ? 6 : 4;
			k.gso_size = sizes[i];
			k.payload = (size_t)sizes[i] * (more + 1) + more;
			ok &= same(&k);
		}
	}
	CHECK(ok);
	k.version = 4;
	k.gso_size = 1460;
	k.payload = 65535 - 40;
	CHECK(same(&k));
	k.gso_size = 128;
	k.payload = 65535 - 40;
	CHECK(same(&k));
}

static void a_tag_in_the_bytes(void)
{
	struct packet k = tcp4;

	k.tags = 1;
	CHECK(same(&k));
	k.version = 6;
	k.flags |= 0x80;
	CHECK(same(&k));
	k = udp4;
	k.tags = 1;
	CHECK(same(&k));
}

static void frames_that_need_a_checksum_only(void)
{
	struct packet k = tcp4;
	struct frame_offload o;
	bool ok = true;
	size_t len;

	k.payload = k.gso_size;
	CHECK(same(&k));
	k.payload = 0;
	CHECK(same(&k));
	for (unsigned int i = 0; i < 200; i++) {
		k = i & 1 ? tcp4 : udp4;
		k.version = i & 2 ? 4 : 6;
		k.payload = i * 7;
		k.port = (uint16_t)(i * 311);
		len = packet_make(&k, super, &o);
		o.gso_type = FRAME_GSO_NONE;
		o.gso_size = 0;
		ok &= compare(super, len, &o) == EQUAL;
	}
	CHECK(ok);
}

static void a_sum_begun_wrongly_or_a_wrong_length(void)
{
	struct frame_offload o;
	size_t len = packet_make(&tcp4, super, &o);
	struct packet k = udp4;

	super[50] ^= 0x12;
	CHECK(compare(super, len, &o) == EQUAL);
	super[16] ^= 0x12; /* length */
	super[24] ^= 0x12; /* sum of IPv4 */
	CHECK(compare(super, len, &o) == EQUAL);
	len = packet_make(&k, super, &o);
	super[38] ^= 0x12;
	CHECK(compare(super, len, &o) == EQUAL);
	k.version = 6;
	len = packet_make(&k, super, &o);
	super[18] ^= 0x12;
	super[60] ^= 0x12;
	CHECK(compare(super, len, &o) == EQUAL);
}

/* As a card hands over what it has merged. For TCP; Linux wants to be told of
 * UDP. */
static void a_checksum_of_which_nothing_is_told(void)
{
	for (int version = 4; version <= 6; version += 2) {
		struct packet k = tcp4;
		struct frame_offload o, untold;
		struct offload_cut c;
		size_t len;

		k.version = version;
		len = packet_make(&k, super, &o);
		super[o.csum_start + 16] ^= 0x34;
		o.flags = 0;
		o.csum_start = o.csum_offset = 0;
		untold = o;
		memcpy(got, super, len);
		CHECK(offload_admit(super, len, &o));
		CHECK(offload_cut_start(&c, super, len, &o, NULL) == 14);
		CHECK(inject(got, len, &untold) && send_mark((uint8_t)version));
		CHECK(collect(&c, (uint8_t)version) == EQUAL);
	}
}

/* A step of a generator that is the same everywhere. */
static uint32_t draw(uint32_t below)
{
	static uint32_t state = 1;

	state = state * UINT32_C(1664525) + UINT32_C(1013904223);
	return (state >> 8) % below;
}

/* One or none of the metadata's numbers. */
static void spoil(struct frame_offload *o)
{
	uint8_t hdr[OFFLOAD_VNET_LEN];

	offload_to_vnet(hdr, o, false);
	if (draw(2))
		hdr[draw(sizeof(hdr))] ^= (uint8_t)(1u << draw(8));
	memcpy(o, hdr, sizeof(*o));
}

/* Headers and metadata with bits changed at random: what we let through, the
 * kernel takes and cuts in the same way. */
static void whatever_is_let_through(void)
{
	unsigned int equal = 0, refused = 0;

	while (equal < ROUNDS && refused < 10 * ROUNDS) {
		struct packet k = draw(2) ? tcp4 : udp4;
		struct frame_offload o;
		size_t len;

		k.version = draw(2) ? 4 : 6;
		k.options = (int)draw(3) * 8;
		k.tcp_options = (int)draw(4) * 4;
		k.tags = (int)draw(2);
		k.payload = draw(4000);
		k.gso_size = (uint16_t)(50 + draw(1500));
		len = packet_make(&k, super, &o);
		if (!draw(3))
			o.gso_type = FRAME_GSO_NONE;
		/* Not its addresses, by which we know it. */
		for (uint32_t i = draw(4); i > 0; i--)
			super[12 + draw(o.hdr_len - 12u)] ^=
				(uint8_t)(1u << draw(8));
		spoil(&o);
		if (!offload_admit(super, len, &o)) {
			refused++;
			continue;
		}
		if (compare(super, len, &o) != EQUAL) {
			show("of", super, len);
			printf("# %u %u %u %u %u %u\n", o.flags, o.gso_type,
			       o.hdr_len, o.gso_size, o.csum_start,
			       o.csum_offset);
			break;
		}
		equal++;
	}
	printf("# %u let through, %u refused\n", equal, refused);
	CHECK(equal == ROUNDS);
}

/* What gro makes of segments is what the kernel cuts into them again. */
static void a_merged_frame_is_taken(void)
{
	static uint8_t bytes[GRO_BATCH][2048];
	struct packet kinds[] = { tcp4, tcp4, udp4 };
	static struct gro gro;

	kinds[1].version = 6;
	kinds[1].flags |= 0xc0;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct gro_frame batch[GRO_BATCH];
		struct frame_offload o;
		struct offload_cut c;
		unsigned int n = 0;
		size_t len = packet_make(&kinds[i], super, &o);
		ssize_t m;

		CHECK(offload_cut_start(&c, super, len, &o, NULL));
		while ((m = offload_cut_copy(&c, bytes[n], 2048)) > 0) {
			batch[n] = (struct gro_frame){ .data = bytes[n],
						       .len = (uint32_t)m };
			n++;
		}
		gro_init(&gro, UINT32_MAX, PACKET_MAX);
		CHECK(gro_merge(&gro, batch, n) == 1);
		m = gro_copy(&gro, gro.runs, NULL, &o, super, sizeof(super));
		CHECK(m == (ssize_t)len);
		CHECK(compare(super, len, &o) == EQUAL);
	}
}

int main(void)
{
	int rc = build_stage();

	if (rc)
		return rc;
	RUN(tcp_over_ipv4);
	RUN(tcp_over_ipv6);
	RUN(all_flags_of_tcp);
	RUN(udp_over_both);
	RUN(odd_and_extreme_sizes);
	RUN(a_tag_in_the_bytes);
	RUN(frames_that_need_a_checksum_only);
	RUN(a_sum_begun_wrongly_or_a_wrong_length);
	RUN(a_checksum_of_which_nothing_is_told);
	RUN(whatever_is_let_through);
	RUN(a_merged_frame_is_taken);
	DONE();
}
