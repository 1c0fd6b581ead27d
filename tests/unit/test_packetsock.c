// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a packet socket gives with a frame, made by hand: tags, lengths, what
 * is to be done, what was missed.
 */
#include "common/packetsock.h"

#include <errno.h>
#include <string.h>

#include "../unit/test.h"

static uint8_t room[200];
static struct packetsock_rx rx;
static struct mmsghdr msg;
static struct packetsock sock;
static struct frame_offload offload;
static uint8_t *frame;

/* A frame of @len bytes that are their own numbers arrives. */
static void arrive(size_t len)
{
	sock = (struct packetsock){ .fd = -1 };
	memset(&rx, 0, sizeof(rx));
	packetsock_prepare(&msg, &rx, room, sizeof(room));
	for (size_t i = 0; i < len; i++)
		((uint8_t *)rx.iov[1].iov_base)[i] = (uint8_t)i;
	msg.msg_len = (unsigned int)(OFFLOAD_VNET_LEN + len);
	msg.msg_hdr.msg_controllen = 0;
}

static void with_control(int level, int type, const void *data, size_t size)
{
	size_t at = msg.msg_hdr.msg_controllen;
	struct cmsghdr c = { CMSG_LEN(size), level, type };

	CHECK(at + CMSG_SPACE(size) <= sizeof(rx.ctl));
	memcpy(rx.ctl.buf + at, &c, sizeof(c));
	memcpy(rx.ctl.buf + at + CMSG_LEN(0), data, size);
	msg.msg_hdr.msg_controllen = at + CMSG_SPACE(size);
}

static void with_tag(uint32_t status, uint16_t tci, uint16_t tpid)
{
	struct tpacket_auxdata aux = { .tp_status = status,
				       .tp_vlan_tci = tci,
				       .tp_vlan_tpid = tpid };

	with_control(SOL_PACKET, PACKET_AUXDATA, &aux, sizeof(aux));
}

static ssize_t got(void)
{
	frame = NULL;
	return packetsock_frame(&sock, &msg, &rx, &frame, &offload);
}

static void a_frame_comes_as_it_is(void)
{
	arrive(60);
	with_tag(0, 0, 0);
	CHECK(got() == 60);
	CHECK(frame && frame[0] == 0 && frame[59] == 59);
	CHECK(offload_is_none(&offload));
}

static void a_tag_is_put_back(void)
{
	static const uint8_t want[] = { 10, 11, 0x81, 0, 0x6a, 0xbc, 12, 13 };

	arrive(60);
	with_tag(TP_STATUS_VLAN_VALID, 0x6abc, 0);
	CHECK(got() == 64);
	CHECK(frame && !memcmp(frame + 10, want, sizeof(want)));
	CHECK(frame == room && frame[0] == 0 && frame[63] == 59);
}

static void a_tag_of_another_kind_too(void)
{
	arrive(60);
	with_tag(TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID, 5, 0x88a8);
	CHECK(got() == 64);
	CHECK(frame && !memcmp(frame + 12, "\x88\xa8\0\5\14", 5));
}

static void what_is_to_be_done_moves_behind_the_tag(void)
{
	struct frame_offload o = { .flags = FRAME_NEEDS_CSUM,
				   .gso_type = FRAME_GSO_TCPV4,
				   .hdr_len = 54,
				   .gso_size = 20,
				   .csum_start = 34,
				   .csum_offset = 16 };

	arrive(100);
	offload_to_vnet(rx.vnet, &o, false);
	CHECK(got() == 100 && offload.csum_start == 34 &&
	      offload.hdr_len == 54);
	with_tag(TP_STATUS_VLAN_VALID, 1, 0);
	CHECK(got() == 104 && offload.csum_start == 38 &&
	      offload.hdr_len == 58);
	CHECK(offload.gso_size == 20 && offload.csum_offset == 16);
}

static void what_cannot_move_is_refused(void)
{
	struct frame_offload o = { .flags = FRAME_NEEDS_CSUM,
				   .csum_start = UINT16_MAX - 1 };

	arrive(100);
	offload_to_vnet(rx.vnet, &o, false);
	with_tag(TP_STATUS_VLAN_VALID, 1, 0);
	CHECK(got() == -EBADMSG);
}

static void what_this_host_sends_is_none_of_ours(void)
{
	arrive(60);
	rx.from.sll_pkttype = PACKET_OUTGOING;
	CHECK(got() == 0);
}

static void no_frame_is_none(void)
{
	arrive(0);
	CHECK(got() == 0);
	msg.msg_len = 3; /* not even its header */
	CHECK(got() == 0);
}

static void a_frame_that_was_cut_is_too_long(void)
{
	arrive(60);
	msg.msg_hdr.msg_flags = MSG_TRUNC;
	CHECK(got() == -EMSGSIZE);
}

static void a_frame_too_short_for_a_tag_gets_none(void)
{
	arrive(ETHER_HDR_LEN - 1);
	with_tag(TP_STATUS_VLAN_VALID, 1, 0);
	CHECK(got() == ETHER_HDR_LEN - 1);
}

static void what_was_missed_is_told_beside_a_tag(void)
{
	const uint32_t lost = 1234;

	arrive(60);
	with_control(SOL_SOCKET, SO_RXQ_OVFL, &lost, sizeof(lost));
	with_tag(TP_STATUS_VLAN_VALID, 1, 0);
	CHECK(got() == 64);
	CHECK(sock.lost == lost);
	arrive(60);
	sock.lost = lost;
	CHECK(got() == 60);
	CHECK(sock.lost == lost); /* not told again is not nothing */
}

int main(void)
{
	RUN(a_frame_comes_as_it_is);
	RUN(a_tag_is_put_back);
	RUN(a_tag_of_another_kind_too);
	RUN(what_is_to_be_done_moves_behind_the_tag);
	RUN(what_cannot_move_is_refused);
	RUN(what_this_host_sends_is_none_of_ours);
	RUN(no_frame_is_none);
	RUN(a_frame_that_was_cut_is_too_long);
	RUN(a_frame_too_short_for_a_tag_gets_none);
	RUN(what_was_missed_is_told_beside_a_tag);
	DONE();
}
