/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packetsock - the frames of an interface of this host, by a packet socket
 *
 * In front of each frame stands what is to be done with it (PACKET_VNET_HDR),
 * both ways: the stack at the other end of a veth leaves checksums undone and
 * sends TCP in pieces of 64 KiB, a card merges what it receives. A VLAN tag,
 * which the kernel has taken out, is told by PACKET_AUXDATA and put back.
 * Frames that this host sends are not received, neither its own nor ours.
 *
 * Messages are filled for recvmmsg() and sendmmsg(); who receives and sends
 * them, and counts what is lost, is the caller. An interface that is down is
 * looked at a few times a second until it is up again or gone: the socket
 * itself does not tell. Moved to another network namespace is gone, too; with
 * a new name it is the same interface.
 */
#ifndef COMMON_PACKETSOCK_H
#define COMMON_PACKETSOCK_H

#include <linux/if_packet.h>
#include <sys/socket.h>

#include "base/offload.h"
#include "common/loop.h"

/* The longest frame with its headers. */
#define PACKETSOCK_FRAME 65600
/* Where such a frame can be received. */
#define PACKETSOCK_ROOM (ETHER_TAG_LEN + PACKETSOCK_FRAME)

struct packetsock;
typedef void packetsock_gone_fn(struct packetsock *);

struct packetsock {
	int fd, ifindex;
	uint32_t lost; /* frames so far for which there was no room here */
	struct loop *loop;
	struct loop_timer look; /* armed while the interface is down */
	packetsock_gone_fn *gone; /* called by the loop */
};

/* What is received beside the bytes of a frame. */
struct packetsock_rx {
	uint8_t vnet[OFFLOAD_VNET_LEN];
	struct sockaddr_ll from;
	union {
		size_t align;
		char buf[CMSG_SPACE(sizeof(struct tpacket_auxdata)) +
			 CMSG_SPACE(sizeof(uint32_t))];
	} ctl;
	struct iovec iov[2];
};

/* 0 or -errno: -ENODEV no such interface, -EPERM without CAP_NET_RAW. With
 * @promisc the interface is promiscuous until the socket is closed. */
int packetsock_open(struct packetsock *, struct loop *, const char *ifname,
		    bool promisc, packetsock_gone_fn *);
void packetsock_close(struct packetsock *);

/* Are its frames Ethernet? -EMEDIUMTYPE if not, or -errno. */
int packetsock_check_ethernet(const struct packetsock *);
/* The longest payload of a frame, or -errno. */
int packetsock_mtu(const struct packetsock *);

/* Receiving or sending failed with @err (errno). If that is because the
 * interface is down or gone: 0, and it is looked at until it is up or @gone()
 * was called. Else -errno. */
int packetsock_trouble(struct packetsock *, int err);

/* Prepares @msg and @rx for a frame in the @size bytes at @room, of which the
 * first ETHER_TAG_LEN are for a tag to be put back. */
void packetsock_prepare(struct mmsghdr *msg, struct packetsock_rx *rx,
			void *room, size_t size);
/* What was received in them: the length of the frame, where it is, and what
 * is to be done with it, unchecked (offload_admit()). 0: it is none of ours;
 * -EMSGSIZE: it did not fit; -EBADMSG: it cannot be. */
ssize_t packetsock_frame(struct packetsock *, struct mmsghdr *msg,
			 const struct packetsock_rx *rx, uint8_t **frame,
			 struct frame_offload *);

/* Sends, from the first on; returns how many were sent. *@err is 0 if the
 * rest has no room for now, else why the next one was refused. The parts of
 * each begin with OFFLOAD_VNET_LEN bytes of offload_to_vnet(). */
int packetsock_send(const struct packetsock *, struct mmsghdr *, int n,
		    int *err);

#endif
