// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tap of the library, and the kernel on its other side through a packet
 * socket that shows and takes offloads. In a network namespace of its own;
 * skipped where that or /dev/net/tun is closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/packet.h"
#include "../unit/test.h"
#include "lib/batch.h"

#define PATIENCE_MS 5000
#define ALL                                                 \
	(VDE_TAKES_CSUM | VDE_TAKES_TSO4 | VDE_TAKES_TSO6 | \
	 VDE_TAKES_TSO_ECN | VDE_TAKES_USO)
#define MSS 1000

static int packet = -1; /* the other side of the tap */
static VDECONN *tap;
static char locator[] = "tap://t0", descr[] = "test";
static uint8_t super[PACKET_MAX], got[PACKET_MAX];
static uint8_t rooms[VDE_BATCH_MAX][VDE_FRAME_MAX];

static int skip(const char *what)
{
	printf("# skip: unable to %s: %s\n", what, strerror(errno));
	return 77;
}

static bool raise_link(const char *name)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	bool up;

	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	up = s >= 0 && !ioctl(s, SIOCSIFFLAGS, &ifr);
	close(s);
	return up;
}

static bool open_packet(const char *name)
{
	const struct sockaddr_ll sa = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	const int on = 1;

	packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return packet >= 0 &&
	       !setsockopt(packet, SOL_PACKET, PACKET_VNET_HDR, &on,
			   sizeof(on)) &&
	       !setsockopt(packet, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
			   sizeof(on)) &&
	       !bind(packet, (const struct sockaddr *)&sa, sizeof(sa));
}

static void start_tap(unsigned int takes)
{
	tap = vde_open_batch(locator, descr, NULL, takes);
	CHECK(tap && raise_link("t0") && open_packet("t0"));
}

static void stop_tap(void)
{
	close(packet);
	CHECK(vde_close(tap) == 0);
}

static bool is_ours(const uint8_t *frame, size_t len)
{
	return len >= ETHER_HDR_LEN && frame[0] == 2 && !frame[1];
}

/* ---- the packet socket ---- */

static void kernel_sends(const uint8_t *frame, size_t len,
			 const struct frame_offload *o)
{
	uint8_t hdr[OFFLOAD_VNET_LEN];
	struct iovec iov[] = { { hdr, sizeof(hdr) }, { unconst(frame), len } };

	offload_to_vnet(hdr, o, false);
	CHECK(writev(packet, iov, 2) == (ssize_t)(sizeof(hdr) + len));
}

/* The next frame of ours; 0 if there is none within @ms. */
static size_t kernel_gets(struct frame_offload *o, int ms)
{
	uint8_t hdr[OFFLOAD_VNET_LEN];
	struct iovec iov[] = { { hdr, sizeof(hdr) }, { got, sizeof(got) } };
	struct pollfd p = { .fd = packet, .events = POLLIN };

	for (;;) {
		ssize_t n = readv(packet, iov, 2);

		if (n < 0 && (errno != EAGAIN || poll(&p, 1, ms) != 1))
			return 0;
		if (n < (ssize_t)sizeof(hdr) ||
		    !is_ours(got, (size_t)n - sizeof(hdr)))
			continue;
		offload_from_vnet(o, hdr, false);
		return (size_t)n - sizeof(hdr);
	}
}

/* ---- the tap ---- */

/* Collects frames of ours until there are @want; how many there are. */
static int tap_gets(struct vde_frame *f, int want)
{
	struct pollfd p = { .fd = vde_datafd(tap), .events = POLLIN };
	int have = 0;

	memset(f, 0, (size_t)want * sizeof(*f));
	while (have < want && poll(&p, 1, PATIENCE_MS) == 1) {
		struct vde_frame *next = &f[have];
		int n;

		*next = (struct vde_frame){ rooms[have],
					    sizeof(rooms[have]),
					    { 0 } };
		n = vde_recv_batch(tap, next, 1);
		CHECK(n == 1 || n == -EAGAIN);
		have += n == 1 && is_ours(next->data, next->len);
	}
	return have;
}

/* ---- frames ---- */

static const struct packet segment = { .version = 4,
				       .ttl = 64,
				       .flags = 0x10,
				       .df = true,
				       .port = 1000,
				       .payload = MSS };

/* What TCP would hand to a card, of @segs segments. */
static size_t make_super(struct frame_offload *o, size_t segs)
{
	struct packet k = segment;

	k.payload *= segs;
	k.gso_size = MSS;
	return packet_make(&k, super, o);
}

/* Segment number @i of that, finished. */
static struct vde_frame make_segment(uint32_t i)
{
	struct frame_offload none;
	struct packet k = segment;

	k.seq = i * MSS;
	return (struct vde_frame){ rooms[i],
				   packet_make(&k, rooms[i], &none),
				   { 0 } };
}

static bool is_segment(const struct vde_frame *f, uint32_t i)
{
	struct packet_view v;

	return packet_read(f->data, f->len, &v) && f->len - v.payload == MSS &&
	       !memcmp((uint8_t *)f->data + v.l4 + 4,
		       &(uint32_t){ htonl(i * MSS) }, 4);
}

/* ---- tests ---- */

static void what_the_caller_takes_comes_as_it_is(void)
{
	struct frame_offload o, said;
	struct vde_frame f;
	size_t len;

	start_tap(ALL);
	len = make_super(&o, 40);
	kernel_sends(super, len, &o);
	CHECK(tap_gets(&f, 1) == 1 && f.len == len);
	said = batch_offload(&f);
	CHECK(said.flags & FRAME_NEEDS_CSUM && said.gso_size == MSS &&
	      said.gso_type == FRAME_GSO_TCPV4 && said.hdr_len == o.hdr_len);
	CHECK(!memcmp((uint8_t *)f.data + 60, super + 60, len - 60));
	stop_tap();
}

static void what_the_caller_does_not_take_the_kernel_cuts(void)
{
	struct vde_frame f[6];
	struct frame_offload o;

	start_tap(VDE_TAKES_CSUM);
	kernel_sends(super, make_super(&o, 5), &o);
	CHECK(tap_gets(f, 5) == 5);
	for (uint32_t i = 0; i < 5; i++)
		CHECK(f[i].len == 14 + 40 + MSS && !f[i].offload.gso_type);
	stop_tap();
	start_tap(VDE_TAKES_TSO4); /* useless without checksums */
	CHECK(vde_offloads(tap) == 0);
	kernel_sends(super, make_super(&o, 5), &o);
	CHECK(tap_gets(f, 5) == 5);
	for (uint32_t i = 0; i < 5; i++)
		CHECK(is_segment(&f[i], i) && !f[i].offload.flags);
	stop_tap();
}

static void a_frame_to_be_cut_may_be_sent(void)
{
	struct frame_offload o, said;
	struct vde_frame f = { super, 0, { 0 } };

	start_tap(ALL);
	CHECK((vde_offloads(tap) & VDE_TAKES_TSO4) != 0);
	f.len = make_super(&o, 60);
	batch_set_offload(&f, &o);
	CHECK(vde_send_batch(tap, &f, 1) == 1);
	CHECK(kernel_gets(&said, PATIENCE_MS) == f.len);
	CHECK(said.gso_type == FRAME_GSO_TCPV4 && said.gso_size == MSS);
	CHECK(!memcmp(got, super, f.len));
	stop_tap();
}

static void segments_of_a_batch_are_merged(void)
{
	struct vde_frame f[41];
	struct frame_offload o;
	struct packet_view v;
	uint8_t other[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5 };

	start_tap(ALL);
	for (uint32_t i = 0; i < 40; i++)
		f[i] = make_segment(i);
	f[40] = f[39];
	f[39] = (struct vde_frame){ other, sizeof(other), { 0 } };
	CHECK(vde_send_batch(tap, f, 41) == 41);
	CHECK(kernel_gets(&o, PATIENCE_MS) == 14 + 40 + 40 * MSS);
	CHECK(o.gso_type == FRAME_GSO_TCPV4 && o.gso_size == MSS);
	CHECK(kernel_gets(&o, PATIENCE_MS) == sizeof(other));
	CHECK(o.gso_type == FRAME_GSO_NONE);
	((uint8_t *)f[1].data)[100] ^= 1; /* its checksum is wrong now */
	CHECK(vde_send_batch(tap, f, 2) == 2);
	for (int i = 0; i < 2; i++)
		CHECK(kernel_gets(&o, PATIENCE_MS) == 14 + 40 + MSS);
	CHECK(!packet_read(got, 14 + 40 + MSS, &v)); /* and stays wrong */
	stop_tap();
}

static void only_what_makes_no_sense_is_refused(void)
{
	struct frame_offload o, bad;
	struct vde_frame f[3];
	size_t len;

	start_tap(ALL);
	len = make_super(&o, 3);
	for (int i = 0; i < 3; i++) {
		f[i] = (struct vde_frame){ super, len, { 0 } };
		batch_set_offload(&f[i], &o);
	}
	bad = o;
	bad.csum_start = 60000;
	batch_set_offload(&f[1], &bad);
	CHECK(vde_send_batch(tap, f, 3) == 1);
	CHECK(vde_send_batch(tap, f + 1, 2) == -EINVAL);
	CHECK(vde_send_batch(tap, f + 2, 1) == 1);
	f[1] = (struct vde_frame){ super, VDE_FRAME_MAX + 1, { 0 } };
	CHECK(vde_send_batch(tap, f + 1, 1) == -EMSGSIZE);
	f[1].len = 13; /* no frame: nothing happens */
	CHECK(vde_send_batch(tap, f + 1, 1) == 1);
	for (int i = 0; i < 2; i++)
		CHECK(kernel_gets(&o, PATIENCE_MS) == len);
	CHECK(kernel_gets(&o, 20) == 0);
	stop_tap();
}

static void frames_for_an_interface_that_is_down_are_lost(void)
{
	struct vde_frame f[2];

	tap = vde_open_batch(locator, descr, NULL, ALL);
	f[0] = make_segment(0);
	f[1] = make_segment(1);
	CHECK(tap && vde_send_batch(tap, f, 2) == 2);
	CHECK(vde_send_batch(tap, f, 1) == 1);
	CHECK(vde_close(tap) == 0);
}

static void an_empty_tap_has_nothing_and_does_not_wait(void)
{
	struct vde_frame f = { rooms[0], sizeof(rooms[0]), { 0 } };

	tap = vde_open_batch(locator, descr, NULL, ALL);
	CHECK(tap && vde_recv_batch(tap, &f, 1) == -EAGAIN);
	CHECK(f.len == sizeof(rooms[0]));
	CHECK(vde_close(tap) == 0);
}

/* The classic calls: ordinary frames, nothing in front. */
static void plain_frames_pass(void)
{
	struct frame_offload o;
	struct vde_frame f[3], s = make_segment(7);

	kernel_sends(super, make_super(&o, 3), &o);
	CHECK(tap_gets(f, 3) == 3);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(is_segment(&f[i], i));
	CHECK(vde_send(tap, s.data, s.len, 0) == (ssize_t)s.len);
	CHECK(kernel_gets(&o, PATIENCE_MS) == s.len &&
	      !memcmp(got, s.data, s.len));
}

static int make_persistent(short flags)
{
	struct ifreq ifr = { .ifr_name = "t0" };
	const int hdr = 12;
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags);
	CHECK(!ioctl(fd, TUNSETIFF, &ifr) && !ioctl(fd, TUNSETPERSIST, 1));
	CHECK(!(flags & IFF_VNET_HDR) ||
	      (!ioctl(fd, TUNSETVNETHDRSZ, &hdr) &&
	       !ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)));
	return fd;
}

/* Its header of 12 bytes and its offloads are still set in the kernel. */
static void what_the_last_user_of_a_tap_has_set_does_not_matter(void)
{
	struct frame_offload o;
	struct vde_frame f;
	int fd;

	close(make_persistent(IFF_VNET_HDR));
	tap = vde_open(locator, descr, NULL);
	CHECK(tap && raise_link("t0") && open_packet("t0"));
	plain_frames_pass();
	stop_tap();
	close(make_persistent(IFF_VNET_HDR));
	start_tap(ALL);
	kernel_sends(super, make_super(&o, 3), &o);
	CHECK(tap_gets(&f, 1) == 1 && f.offload.gso_size == MSS);
	stop_tap();
	fd = make_persistent(0);
	CHECK(!ioctl(fd, TUNSETPERSIST, 0));
	close(fd);
}

static void a_tap_of_many_queues_is_used_with_one(void)
{
	close(make_persistent(IFF_MULTI_QUEUE));
	tap = vde_open(locator, descr, NULL);
	CHECK(tap && raise_link("t0") && open_packet("t0"));
	CHECK(ioctl(vde_datafd(tap), TUNSETPERSIST, 0) == 0);
	plain_frames_pass();
	stop_tap();
}

int main(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return skip("make a network namespace");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return skip("open /dev/net/tun");
	close(fd);
	RUN(what_the_caller_takes_comes_as_it_is);
	RUN(what_the_caller_does_not_take_the_kernel_cuts);
	RUN(a_frame_to_be_cut_may_be_sent);
	RUN(segments_of_a_batch_are_merged);
	RUN(only_what_makes_no_sense_is_refused);
	RUN(frames_for_an_interface_that_is_down_are_lost);
	RUN(an_empty_tap_has_nothing_and_does_not_wait);
	RUN(what_the_last_user_of_a_tap_has_set_does_not_matter);
	RUN(a_tap_of_many_queues_is_used_with_one);
	DONE();
}
