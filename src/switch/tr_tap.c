// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tap is read and written one frame per system call, so frames should be
 * long: in front of each stands a virtio_net_hdr, with which the kernel hands
 * over TCP in pieces of up to 64 KiB and checksums that are only begun, and
 * takes the same. Ordinary segments of a batch are merged before they are
 * written: that costs a tenth of what the kernel needs for one more frame. A
 * tag in the bytes is no obstacle to any of it.
 *
 * A turn takes fewer of long frames (endpoint_cost()): what was read is written
 * again while it is in the cache.
 *
 * The descriptor keeps working when the interface is moved to another network
 * namespace. A tap that goes away (EBADFD) is detached.
 */
#include "switch/tr_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/tapdev.h"
#include "switch/hostif.h"
#include "switch/txmerge.h"

#define TUN_DEVICE "/dev/net/tun"

struct tap {
	struct hostif h; /* first: hostif_close() frees it */
	struct txmerge merge; /* of the batch that is being sent */
};

static struct tap *tap_of(struct hostif *h)
{
	return container_of(h, struct tap, h);
}

/* ---- frames in ---- */

/* 0, or -errno. A frame that the header has no words for comes as an error
 * and is lost. */
static int read_frame(struct hostif *h, struct frame *f)
{
	uint8_t vnet[OFFLOAD_VNET_LEN];
	struct iovec iov[] = { { vnet, sizeof(vnet) },
			       { f->data, frame_pool_room(h->sw->br->pool) } };
	ssize_t n = readv(h->io.fd, iov, ARRAY_SIZE(iov));

	f->len = 0;
	if (n < 0 && errno == EINVAL)
		h->ep.port->drops[DROP_OFFLOAD]++;
	else if (n < 0)
		return -errno;
	if (n <= (ssize_t)sizeof(vnet))
		return 0;
	f->len = (uint32_t)n - sizeof(vnet);
	offload_from_vnet(&f->offload, vnet, true);
	return 0;
}

/* Fills the batch until the tap has no more, or the budget is spent. Returns
 * frames, or -errno. */
static int read_frames(struct hostif *h, int room)
{
	unsigned int left = (unsigned int)room, cost;
	int n = 0, rc;

	while (n < room) {
		struct frame *f = h->sw->rx.frames[n];

		rc = read_frame(h, f);
		if (rc)
			return n || rc == -EAGAIN || rc == -EINTR ? n : rc;
		n++;
		cost = endpoint_cost(f);
		if (cost >= left)
			break;
		left -= cost;
	}
	return n;
}

static void tap_receive(struct hostif *h)
{
	int n = read_frames(h, rx_batch_prepare(h->sw, &h->ep));

	if (n < 0) {
		log_warn("tap %s is gone: %s", h->ep.descr, strerror(-n));
		bridge_detach(&h->ep);
		return;
	}
	port_rx_take(&h->ep, h->sw->rx.frames, n, loop_now(h->sw->loop));
	rx_batch_consumed(&h->sw->rx, n);
}

/* ---- frames out ---- */

/* False: the tap takes nothing more now. @n frames are in it. */
static bool write_iov(struct hostif *h, const struct iovec *iov, int n_iov,
		      unsigned int n)
{
	if (writev(h->io.fd, iov, n_iov) >= 0)
		return true;
	if (errno == EAGAIN)
		return false;
	h->ep.port->drops[DROP_SEND] += n;
	return true;
}

static bool send_one(struct hostif *h, const struct frame_tx *tx)
{
	const struct frame_offload o = offload_of(tx->frame, tx->tagged);
	uint8_t vnet[OFFLOAD_VNET_LEN];
	struct iovec iov[1 + FRAME_IOV] = { { vnet, sizeof(vnet) } };
	int k = frame_iov(tx->frame, tx->tagged, iov + 1);

	offload_to_vnet(vnet, &o, true);
	return write_iov(h, iov, k + 1, 1);
}

static bool send_run(struct tap *t, const struct gro_run *r)
{
	uint8_t vnet[OFFLOAD_VNET_LEN], hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[1 + GRO_IOV] = { { vnet, sizeof(vnet) } };
	struct frame_offload o;
	int k = txmerge_iov(&t->merge, r, &o, hdr, iov + 1);

	offload_to_vnet(vnet, &o, true);
	return write_iov(&t->h, iov, k + 1, r->count);
}

/* A tap that takes the first of a batch takes all: what it does not is seldom
 * so that it can be kept. */
static int tap_send(struct endpoint *ep, const struct frame_tx *tx, int n)
{
	struct hostif *h = hostif_of(ep);
	struct tap *t = tap_of(h);
	unsigned int runs;

	if (n == 1) {
		if (send_one(h, tx))
			return 1;
		hostif_wait_room(h);
		return 0;
	}
	runs = txmerge(&t->merge, ep, tx, n);
	for (unsigned int i = 0; i < runs; i++) {
		const struct gro_run *r = &t->merge.gro.runs[i];

		if (send_run(t, r)) {
			txmerge_sent(&t->merge, r);
			continue;
		}
		hostif_wait_room(h);
		if (txmerge_can_stop(&t->merge))
			return (int)t->merge.done;
		ep->port->drops[DROP_SEND] += (unsigned int)n - t->merge.done;
		break;
	}
	return n;
}

/* ---- life ---- */

/* Who opens a persistent interface next may know nothing of all this. */
static void tap_close(struct endpoint *ep)
{
	(void)ioctl(hostif_of(ep)->io.fd, TUNSETOFFLOAD, 0UL);
	hostif_close(ep);
}

static const struct transport tr_tap = {
	.module = "tuntap",
	.name = "tap",
	.send = tap_send,
	.pause = hostif_pause,
	.close = tap_close,
};

/* What an earlier user has set of a persistent interface stays set, so all of
 * it is set here. Linux before 6.2 cuts no UDP. */
static int set_offloads(int fd, unsigned int *takes)
{
	const int size = OFFLOAD_VNET_LEN, le = 1;

	*takes = OFFLOAD_ALL;
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) || ioctl(fd, TUNSETVNETLE, &le))
		return -errno;
	if (!ioctl(fd, TUNSETOFFLOAD, (unsigned long)*takes))
		return 0;
	*takes &= ~(unsigned int)OFFLOAD_USO;
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)*takes) ? -errno : 0;
}

/* The kernel makes a name of "tap%d": @real is what it has become. */
static int open_tap(const char *name, char real[static IFNAMSIZ],
		    unsigned int *takes)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd, rc = str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name);

	if (rc < 0)
		return rc;
	if (!*name)
		return -EINVAL;
	fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = tapdev_attach(fd, &ifr);
	if (!rc)
		rc = set_offloads(fd, takes);
	if (!rc) {
		memcpy(real, ifr.ifr_name, IFNAMSIZ);
		return fd;
	}
	close(fd);
	return rc;
}

int tap_add(struct vswitch *sw, const char *name)
{
	char real[IFNAMSIZ];
	unsigned int takes = 0;
	struct tap *t;
	int fd, rc;

	if (hostif_find(sw, NULL, name))
		return -EEXIST;
	fd = open_tap(name, real, &takes);
	if (fd < 0)
		return fd;
	t = calloc(1, sizeof(*t));
	rc = -ENOMEM;
	if (t) {
		t->h.receive = tap_receive;
		t->h.takes = takes;
		t->h.ifindex = (int)if_nametoindex(real);
		rc = hostif_attach(sw, &t->h, &tr_tap, real, fd);
	}
	if (rc < 0) {
		free(t);
		close(fd);
	}
	return rc;
}

int tap_del(struct vswitch *sw, const char *name)
{
	return hostif_del(sw, &tr_tap, name);
}
