// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * stream - vdestream_*: frames in and out of a byte stream
 *
 * base/stream knows the format. Incoming pieces are collected in a buffer, so
 * any split is fine, that of a length too. An outgoing frame is written whole
 * or not at all: once a part of it is out the rest is waited for.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/stream.h"
#include "lib/conn.h"

struct vdestream {
	void *opaque;
	int fdout;
	ssize_t (*frecv)(void *opaque, void *buf, size_t count);
	void (*ferr)(void *opaque, int type, char *format, ...);
	struct stream in;
	uint8_t buf[4 * STREAM_FRAME_MAX];
};

VDE_API VDESTREAM *vdestream_open(void *opaque, int fdout,
				  ssize_t (*frecv)(void *opaque, void *buf,
						   size_t count),
				  void (*ferr)(void *opaque, int type,
					       char *format, ...))
{
	VDESTREAM *vs = malloc(sizeof(*vs));

	if (!vs)
		return NULL;
	vs->opaque = opaque;
	vs->fdout = fdout;
	vs->frecv = frecv;
	vs->ferr = ferr;
	stream_init(&vs->in, vs->buf, sizeof(vs->buf), STREAM_FRAME_MAX);
	return vs;
}

/* -errno, or 0 when all of @iov is out. Never gives up in the middle. */
static int write_all(int fd, struct iovec *iov, int n)
{
	bool begun = false;

	while (n) {
		ssize_t len = writev(fd, iov, n);

		if (len < 0 && errno == EAGAIN && begun) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			poll(&pfd, 1, -1);
			continue;
		}
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		begun = true;
		for (; n && (size_t)len >= iov->iov_len; iov++, n--)
			len -= (ssize_t)iov->iov_len;
		if (n) {
			iov->iov_base = (char *)iov->iov_base + len;
			iov->iov_len -= (size_t)len;
		}
	}
	return 0;
}

VDE_API ssize_t vdestream_send(VDESTREAM *vs, const void *buf, size_t len)
{
	uint8_t head[STREAM_HDR] = { (uint8_t)(len >> 8),
				     (uint8_t)(len & 0xff) };
	struct iovec iov[] = { { head, sizeof(head) }, { unconst(buf), len } };
	int rc;

	if (!len || len > STREAM_FRAME_MAX)
		return 0;
	rc = write_all(vs->fdout, iov, ARRAY_SIZE(iov));
	if (rc < 0) {
		errno = -rc;
		return -1;
	}
	return (ssize_t)(STREAM_HDR + len);
}

/* libvdeplug.h has the format as plain char, as it always had. */
static void report_too_long(VDESTREAM *vs)
{
	char format[] = "size %d expected size %d";

	if (vs->ferr)
		vs->ferr(vs->opaque, PACKET_LENGTH_ERROR, format,
			 (int)vs->in.too_long_len, STREAM_FRAME_MAX);
}

VDE_API void vdestream_recv(VDESTREAM *vs, unsigned char *buf, size_t len)
{
	while (len) {
		uint64_t too_long = vs->in.too_long;
		const uint8_t *frame;
		size_t room, n;
		uint8_t *p = stream_space(&vs->in, &room);

		room = size_min(room, len);
		memcpy(p, buf, room);
		stream_fill(&vs->in, room);
		buf += room;
		len -= room;
		do {
			frame = stream_next(&vs->in, &n);
			for (; too_long != vs->in.too_long; too_long++)
				report_too_long(vs);
			if (frame)
				vs->frecv(vs->opaque, unconst(frame), n);
		} while (frame);
	}
}

VDE_API void vdestream_close(VDESTREAM *vs)
{
	free(vs);
}
