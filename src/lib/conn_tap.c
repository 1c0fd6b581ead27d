// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * conn_tap - a tap interface of this machine
 *
 * For a caller that takes offloads (vde_open_batch()) a virtio_net_hdr stands
 * in front of each frame: what the caller takes the kernel leaves undone, and
 * what the kernel takes, which is everything, may be sent. A write costs the
 * kernel some ten times what merging a segment costs us, so the segments of a
 * batch are merged first. For everybody else the kernel finishes its frames.
 *
 * What an earlier user of a persistent interface has set stays set, so all of
 * it is set each time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/gro.h"
#include "base/strbuf.h"
#include "base/tapdev.h"
#include "lib/conn.h"
#include "lib/dgram.h"

#define TAKES \
	(VDE_TAKES_CSUM | VDE_TAKES_TSO4 | VDE_TAKES_TSO6 | VDE_TAKES_TSO_ECN)

static_assert(GRO_BATCH >= VDE_BATCH_MAX, "a batch is merged at once");

struct tap_conn {
	struct vdeconn conn;
	/* Of the batch that is being sent; for callers with offloads only. */
	struct gro gro;
	struct gro_frame batch[GRO_BATCH];
};

static struct tap_conn *of(struct vdeconn *c)
{
	return container_of(c, struct tap_conn, conn);
}

/* ---- ordinary frames ---- */

/* An interface that is down is an unplugged cable, and what is shorter than a
 * header is no frame. */
static ssize_t tap_send(struct vdeconn *c, const void *buf, size_t len,
			int flags)
{
	ssize_t n;

	if (len < ETHER_HDR_LEN)
		return (ssize_t)len;
	n = write(c->data_fd, buf, len);
	if (n < 0 && errno == EIO)
		return (ssize_t)len;
	return n < 0 ? -errno : n;
}

/* readv() that does not wait, on a descriptor that may be blocking. */
static ssize_t read_now(int fd, const struct iovec *iov, int n_iov)
{
	ssize_t n = preadv2(fd, iov, n_iov, -1, RWF_NOWAIT);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (n < 0 && errno == EOPNOTSUPP) {
		if (poll(&pfd, 1, 0) == 0)
			return -EAGAIN;
		n = readv(fd, iov, n_iov);
	}
	return n < 0 ? -errno : n;
}

static ssize_t tap_recv(struct vdeconn *c, void *buf, size_t len, int flags)
{
	struct iovec iov = { buf, len };
	ssize_t n;

	if (flags & MSG_DONTWAIT)
		return read_now(c->data_fd, &iov, 1);
	n = read(c->data_fd, buf, len);
	return n < 0 ? -errno : n;
}

static int tap_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		struct iovec iov = { f[i].data, f[i].len };
		ssize_t len = read_now(c->data_fd, &iov, 1);

		if (len < 0)
			return i ? i : (int)len;
		f[i].len = (size_t)len;
		f[i].offload = (struct vde_offload){ 0 };
	}
	return n;
}

/* Writing to a tap never waits. */
static int tap_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		ssize_t len = tap_send(c, f[i].data, f[i].len, 0);

		if (len < 0)
			return i ? i : (int)len;
	}
	return n;
}

static const struct conn_ops tap_ops = {
	.recv = tap_recv,
	.send = tap_send,
	.recv_batch = tap_recv_batch,
	.send_batch = tap_send_batch,
	.close = dgram_close,
};

/* ---- frames with offloads ---- */

/* One frame: 1, 0 if it is not to be passed on, -errno. */
static int recv_one(struct vdeconn *c, struct vde_frame *f)
{
	uint8_t hdr[OFFLOAD_VNET_LEN];
	struct iovec iov[] = { { hdr, sizeof(hdr) }, { f->data, f->len } };
	ssize_t n = read_now(c->data_fd, iov, ARRAY_SIZE(iov));
	struct frame_offload o;

	/* EINVAL: cut in a way that the header has no word for. */
	if (n == -EINVAL)
		return 0;
	if (n < (ssize_t)sizeof(hdr))
		return n < 0 ? (int)n : 0;
	f->len = (size_t)n - sizeof(hdr);
	offload_from_vnet(&o, hdr, true);
	/* Nor has the program a word for a tunnel. */
	if (!offload_is_none(&o) && (!offload_admit(f->data, f->len, &o) ||
				     !offload_fits(&o, OFFLOAD_ALL)))
		return 0;
	batch_set_offload(f, &o);
	return 1;
}

static int vnet_recv_batch(struct vdeconn *c, struct vde_frame *f, int n)
{
	int got = 0;

	for (int i = 0; i < n; i++) {
		size_t room = f[got].len;
		int rc = recv_one(c, &f[got]);

		if (rc <= 0)
			f[got].len = room;
		if (rc < 0)
			return got ? got : rc;
		got += rc;
	}
	return got ? got : -EAGAIN;
}

static int write_iov(const struct vdeconn *c, const struct iovec *iov,
		     int n_iov)
{
	return writev(c->data_fd, iov, n_iov) < 0 && errno != EIO ? -errno : 0;
}

static int write_frame(const struct vdeconn *c, const struct gro_frame *f)
{
	uint8_t vnet[OFFLOAD_VNET_LEN];
	struct iovec iov[] = { { vnet, sizeof(vnet) },
			       { unconst(f->data), f->len } };

	offload_to_vnet(vnet, &f->offload, true);
	return write_iov(c, iov, ARRAY_SIZE(iov));
}

static int write_run(const struct tap_conn *t, const struct gro_run *r)
{
	uint8_t vnet[OFFLOAD_VNET_LEN], hdr[OFFLOAD_HDR_MAX];
	struct iovec iov[1 + GRO_IOV] = { { vnet, sizeof(vnet) } };
	struct frame_offload o;
	int k = gro_iov(&t->gro, r, NULL, &o, hdr, iov + 1);

	offload_to_vnet(vnet, &o, true);
	return write_iov(&t->conn, iov, k + 1);
}

/* How many frames, from the first on, the kernel will understand. */
static int look_at(struct gro_frame *in, const struct vde_frame *f, int n)
{
	for (int i = 0; i < n; i++) {
		in[i] = (struct gro_frame){
			.data = f[i].data,
			.len = (uint32_t)size_min(f[i].len, UINT32_MAX),
			.offload = batch_offload(&f[i]),
		};
		if (in[i].len > VDE_FRAME_MAX)
			return i ? i : -EMSGSIZE;
		if (!offload_is_none(&in[i].offload) &&
		    !offload_check(in[i].data, in[i].len, &in[i].offload))
			return i ? i : -EINVAL;
	}
	return n;
}

/* Merged, frames do not leave in their order. So only the very first is ever
 * reported as not sent; a later one that the kernel refuses is lost. */
static int vnet_send_batch(struct vdeconn *c, const struct vde_frame *f, int n)
{
	struct tap_conn *t = of(c);
	unsigned int runs;
	int rc;

	n = look_at(t->batch, f, n);
	if (n <= 0)
		return n;
	if (f[0].len < ETHER_HDR_LEN)
		return 1;
	if (n == 1) {
		rc = write_frame(c, &t->batch[0]);
		return rc ? rc : 1;
	}
	runs = gro_merge(&t->gro, t->batch, (unsigned int)n);
	for (unsigned int i = 0; i < runs; i++) {
		rc = write_run(t, &t->gro.runs[i]);
		if (rc && !i)
			return rc;
	}
	return n;
}

static void vnet_close(struct vdeconn *c)
{
	close(c->data_fd);
	free(of(c));
}

static const struct conn_ops vnet_ops = {
	.recv_batch = vnet_recv_batch,
	.send_batch = vnet_send_batch,
	.close = vnet_close,
};

/* ---- the interface ---- */

static int set_vnet(int fd)
{
	const int size = OFFLOAD_VNET_LEN, le = 1;

	return ioctl(fd, TUNSETVNETHDRSZ, &size) || ioctl(fd, TUNSETVNETLE, &le)
		       ? -errno
		       : 0;
}

/* Also tells in *@knows what the kernel does for us: UDP not before 6.2. */
static int set_takes(int fd, unsigned int takes, unsigned int *knows)
{
	*knows = TAKES | VDE_TAKES_USO;
	if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)*knows))
		*knows = TAKES;
	if (!(takes & VDE_TAKES_CSUM))
		takes = 0;
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)(takes & *knows))
		       ? -errno
		       : 0;
}

static int new_vnet_conn(int fd, unsigned int knows, struct vdeconn **out)
{
	struct tap_conn *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->conn = (struct vdeconn){
		.ops = &vnet_ops, .data_fd = fd, .ctl_fd = -1, .takes = knows
	};
	gro_init(&t->gro, knows, VDE_FRAME_MAX);
	*out = &t->conn;
	return 0;
}

int conn_open_tap(const char *name, const struct conn_args *args,
		  struct vdeconn **out)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	bool vnet = args->takes & VDE_TAKES_CSUM;
	unsigned int knows = 0;
	int fd, rc;

	if (str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name) < 0)
		return -EINVAL;
	if (vnet)
		ifr.ifr_flags |= IFF_VNET_HDR;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = tapdev_attach(fd, &ifr);
	if (!rc && vnet)
		rc = set_vnet(fd);
	if (!rc)
		rc = set_takes(fd, args->takes, &knows);
	if (!rc)
		rc = vnet ? new_vnet_conn(fd, knows, out)
			  : dgram_conn_new(&tap_ops, fd, -1, out);
	if (rc < 0)
		close(fd);
	return rc;
}
