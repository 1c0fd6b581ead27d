// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/blink.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/unixsock.h"
#include "wirefilter/impair.h"

#define BATCH 64
#define TEXT_MAX (BLINK_ID_MAX + 16) /* " LR 65537\n" */

struct blink {
	int fd;
	struct sockaddr_un to;
	char path[PATH_MAX]; /* as it was given */
	char id[BLINK_ID_MAX + 1];
	uint64_t dropped;
};

int blink_new(struct blink **out, const char *path, const char *id)
{
	struct blink *b = calloc(1, sizeof(*b));
	char absolute[PATH_MAX];
	int rc;

	if (!b)
		return -ENOMEM;
	rc = path_absolute(absolute, path);
	if (!rc)
		rc = unixsock_addr(&b->to, absolute);
	if (!rc && str_copy(b->path, sizeof(b->path), path) < 0)
		rc = -ENAMETOOLONG;
	if (!rc &&
	    (id ? str_copy(b->id, sizeof(b->id), id)
		: str_fmt(b->id, sizeof(b->id), "%06ld", (long)getpid())) < 0)
		rc = -ENAMETOOLONG;
	if (!rc) {
		b->fd = socket(AF_UNIX,
			       SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		rc = b->fd < 0 ? -errno : 0;
	}
	if (rc) {
		free(b);
		return rc;
	}
	*out = b;
	return 0;
}

void blink_free(struct blink *b)
{
	if (!b)
		return;
	if (b->dropped)
		log_notice("%" PRIu64 " datagrams were dropped at %s: full",
			   b->dropped, b->path);
	close(b->fd);
	free(b);
}

const char *blink_path(const struct blink *b)
{
	return b->path;
}

const char *blink_id(const struct blink *b)
{
	return b->id;
}

uint64_t blink_dropped(const struct blink *b)
{
	return b->dropped;
}

static void send_all(struct blink *b, struct mmsghdr *msg, int n)
{
	int done = 0, rc;

	while (done < n) {
		rc = sendmmsg(b->fd, msg + done, (unsigned int)(n - done), 0);
		if (rc > 0)
			done += rc;
		else if (errno != EINTR)
			break;
	}
	if (done < n && (errno == EAGAIN || errno == ENOBUFS))
		b->dropped += (uint64_t)(n - done);
}

void blink_frames(struct blink *b, const char *direction,
		  struct impair_frame *const *f, int n)
{
	char text[BATCH][TEXT_MAX];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];

	while (n > 0) {
		int some = n < BATCH ? n : BATCH;

		for (int i = 0; i < some; i++) {
			int len = str_fmt(text[i], TEXT_MAX, "%s %s %u\n",
					  b->id, direction,
					  f[i]->len + IMPAIR_HDR);

			iov[i] = (struct iovec){ text[i], (size_t)len };
			msg[i] = (struct mmsghdr){
				.msg_hdr = { .msg_name = &b->to,
					     .msg_namelen = sizeof(b->to),
					     .msg_iov = &iov[i],
					     .msg_iovlen = 1 },
			};
		}
		send_all(b, msg, some);
		f += some;
		n -= some;
	}
}
