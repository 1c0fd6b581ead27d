// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/packetsock.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LOOK_AGAIN (200 * LOOP_MS)
#define RCVBUF (4 * 1024 * 1024)

/* ---- begin and end ---- */

/* Wishes: root gets the memory, others as much of it as they may have, and
 * older kernels do not know PACKET_IGNORE_OUTGOING. */
static void set_wishes(int fd)
{
	const int on = 1, size = RCVBUF;

	(void)setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
			 sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
}

/* Receives nothing until it is bound, so that no frame comes in before the
 * options are set. */
static int open_socket(int ifindex, bool promisc)
{
	const struct sockaddr_ll sa = { .sll_family = AF_PACKET,
					.sll_protocol = htons(ETH_P_ALL),
					.sll_ifindex = ifindex };
	const struct packet_mreq all = { .mr_ifindex = ifindex,
					 .mr_type = PACKET_MR_PROMISC };
	const int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	set_wishes(fd);
	if (!setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) &&
	    !setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) &&
	    (!promisc || !setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
				     &all, sizeof(all))) &&
	    !bind(fd, (const struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int packetsock_open(struct packetsock *s, struct loop *loop, const char *ifname,
		    bool promisc, packetsock_gone_fn *gone)
{
	*s = (struct packetsock){ .fd = -1, .loop = loop, .gone = gone };
	s->ifindex = (int)if_nametoindex(ifname);
	if (!s->ifindex)
		return -errno;
	s->fd = open_socket(s->ifindex, promisc);
	return s->fd < 0 ? s->fd : 0;
}

void packetsock_close(struct packetsock *s)
{
	if (s->fd < 0)
		return;
	loop_timer_del(s->loop, &s->look);
	close(s->fd);
	s->fd = -1;
}

/* ---- the interface ---- */

/* Calls by name need the name that it has now. */
static int ask(const struct packetsock *s, unsigned long request,
	       struct ifreq *ifr)
{
	*ifr = (struct ifreq){ .ifr_ifindex = s->ifindex };
	if (ioctl(s->fd, SIOCGIFNAME, ifr) || ioctl(s->fd, request, ifr))
		return -errno;
	return 0;
}

int packetsock_check_ethernet(const struct packetsock *s)
{
	struct ifreq ifr;
	int rc = ask(s, SIOCGIFHWADDR, &ifr);

	if (rc)
		return rc;
	return ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER ? 0 : -EMEDIUMTYPE;
}

int packetsock_mtu(const struct packetsock *s)
{
	struct ifreq ifr;
	int rc = ask(s, SIOCGIFMTU, &ifr);

	return rc ? rc : ifr.ifr_mtu;
}

static void look(struct loop_timer *t);

static int look_in(struct packetsock *s, uint64_t delay)
{
	return loop_timer_armed(&s->look)
		       ? 0
		       : loop_timer_set(s->loop, &s->look, delay, look);
}

/* The socket says once that the interface went down, and nothing when it is
 * removed, or moved to another namespace, after that. */
static void look(struct loop_timer *t)
{
	struct packetsock *s = container_of(t, struct packetsock, look);
	struct ifreq ifr;
	int rc = ask(s, SIOCGIFFLAGS, &ifr);

	if (!rc && !(ifr.ifr_flags & IFF_UP))
		rc = look_in(s, LOOK_AGAIN);
	if (rc)
		s->gone(s);
}

int packetsock_trouble(struct packetsock *s, int err)
{
	if (err == ENETDOWN)
		return look_in(s, LOOK_AGAIN);
	if (err == ENXIO || err == ENODEV)
		return look_in(s, 0);
	return -err;
}

/* ---- frames in ---- */

void packetsock_prepare(struct mmsghdr *msg, struct packetsock_rx *rx,
			void *room, size_t size)
{
	rx->iov[0] = (struct iovec){ rx->vnet, sizeof(rx->vnet) };
	rx->iov[1] = (struct iovec){ (uint8_t *)room + ETHER_TAG_LEN,
				     size - ETHER_TAG_LEN };
	*msg = (struct mmsghdr){
		.msg_hdr = { .msg_name = &rx->from,
			     .msg_namelen = sizeof(rx->from),
			     .msg_iov = rx->iov,
			     .msg_iovlen = 2,
			     .msg_control = &rx->ctl,
			     .msg_controllen = sizeof(rx->ctl) },
	};
}

/* Control messages that came with a frame; what is missing is 0. */
struct beside {
	struct tpacket_auxdata aux;
	uint32_t lost; /* frames that found no room so far */
};

static void read_beside(struct beside *b, struct msghdr *msg)
{
	*b = (struct beside){ .lost = 0 };
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == SOL_PACKET &&
		    c->cmsg_type == PACKET_AUXDATA &&
		    c->cmsg_len >= CMSG_LEN(sizeof(b->aux)))
			memcpy(&b->aux, CMSG_DATA(c), sizeof(b->aux));
		else if (c->cmsg_level == SOL_SOCKET &&
			 c->cmsg_type == SO_RXQ_OVFL &&
			 c->cmsg_len >= CMSG_LEN(sizeof(b->lost)))
			memcpy(&b->lost, CMSG_DATA(c), sizeof(b->lost));
	}
}

static void put_tag(uint8_t *frame, const struct tpacket_auxdata *aux)
{
	uint16_t type = ETHERTYPE_VLAN;
	uint8_t *tag = frame + FRAME_ADDRS;

	if (aux->tp_status & TP_STATUS_VLAN_TPID_VALID)
		type = aux->tp_vlan_tpid;
	memmove(frame, frame + ETHER_TAG_LEN, FRAME_ADDRS);
	tag[0] = (uint8_t)(type >> 8);
	tag[1] = (uint8_t)(type & 0xff);
	tag[2] = (uint8_t)(aux->tp_vlan_tci >> 8);
	tag[3] = (uint8_t)(aux->tp_vlan_tci & 0xff);
}

ssize_t packetsock_frame(struct packetsock *s, struct mmsghdr *msg,
			 const struct packetsock_rx *rx, uint8_t **frame,
			 struct frame_offload *o)
{
	ssize_t len = (ssize_t)msg->msg_len - OFFLOAD_VNET_LEN;
	struct beside b;

	read_beside(&b, &msg->msg_hdr);
	if (b.lost)
		s->lost = b.lost;
	if (rx->from.sll_pkttype == PACKET_OUTGOING || len <= 0)
		return 0;
	if (msg->msg_hdr.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	offload_from_vnet(o, rx->vnet, false);
	*frame = rx->iov[1].iov_base;
	if (len < ETHER_HDR_LEN || !(b.aux.tp_status & TP_STATUS_VLAN_VALID))
		return len;
	if (!offload_shift(o, ETHER_TAG_LEN))
		return -EBADMSG;
	*frame -= ETHER_TAG_LEN;
	put_tag(*frame, &b.aux);
	return len + ETHER_TAG_LEN;
}

/* ---- frames out ---- */

int packetsock_send(const struct packetsock *s, struct mmsghdr *msg, int n,
		    int *err)
{
	int i = 0;

	*err = 0;
	while (i < n) {
		int rc = sendmmsg(s->fd, &msg[i], (unsigned int)(n - i),
				  MSG_DONTWAIT);

		if (rc >= 0) {
			i += rc;
		} else if (errno != EINTR) {
			*err = errno == EAGAIN ? 0 : errno;
			return i;
		}
	}
	return i;
}
