// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugins/pcapfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/ether.h"

#define MAGIC 0xa1b2c3d4
#define LINKTYPE_ETHERNET 1

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snaplen, linktype;
};

struct record_header {
	uint32_t sec, usec, caplen, len;
};

void pcapfile_init(struct pcapfile *f)
{
	f->fd = -1;
	f->buffered = false;
	f->n = 0;
	f->frames = 0;
}

/* All of it, or -errno. */
static int write_all(int fd, const void *p, size_t n)
{
	const uint8_t *at = p;

	while (n) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? -errno : -ENOSPC;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

/* -errno; half a frame would make the whole file unreadable. */
static int give_up(struct pcapfile *f, int rc)
{
	int fd = f->fd;

	f->fd = -1;
	f->n = 0;
	if (ftruncate(fd, f->whole))
		rc = -errno;
	close(fd);
	return rc;
}

int pcapfile_flush(struct pcapfile *f)
{
	int rc;

	if (f->fd < 0 || !f->n)
		return 0;
	rc = write_all(f->fd, f->buf, f->n);
	if (rc)
		return give_up(f, rc);
	f->whole += (off_t)f->n;
	f->n = 0;
	return 0;
}

int pcapfile_close(struct pcapfile *f)
{
	int rc = pcapfile_flush(f);

	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	return rc;
}

/* A regular file, not emptied yet. */
static int open_regular(const char *path)
{
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		      0600);
	struct stat st;

	if (fd < 0)
		return errno == ENXIO ? -EINVAL : -errno; /* FIFO, socket */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

const char *pcapfile_reason(int rc)
{
	return rc == -EINVAL ? "not a regular file" : strerror(-rc);
}

int pcapfile_open(struct pcapfile *f, const char *path)
{
	static const struct file_header header = {
		.magic = MAGIC,
		.major = 2,
		.minor = 4,
		.snaplen = PCAPFILE_SNAPLEN,
		.linktype = LINKTYPE_ETHERNET,
	};
	int fd = open_regular(path), rc = 0;

	if (fd < 0)
		return fd;
	if (ftruncate(fd, 0))
		rc = -errno;
	if (!rc)
		rc = write_all(fd, &header, sizeof(header));
	if (rc) {
		close(fd);
		return rc;
	}
	pcapfile_close(f);
	f->fd = fd;
	f->whole = sizeof(header);
	f->frames = 0;
	return 0;
}

/* Bytes that fit into the empty buffer. */
static int gather(struct pcapfile *f, const struct iovec *iov, int n,
		  size_t len)
{
	int rc = 0;

	if (len > sizeof(f->buf) - f->n)
		rc = pcapfile_flush(f);
	for (int i = 0; i < n && !rc; i++) {
		memcpy(f->buf + f->n, iov[i].iov_base, iov[i].iov_len);
		f->n += iov[i].iov_len;
	}
	return rc;
}

static int put(struct pcapfile *f, const struct iovec *iov, int n, size_t len)
{
	int rc;

	if (len <= sizeof(f->buf)) {
		rc = gather(f, iov, n, len);
		return rc || f->buffered ? rc : pcapfile_flush(f);
	}
	rc = pcapfile_flush(f);
	for (int i = 0; i < n && !rc; i++)
		rc = write_all(f->fd, iov[i].iov_base, iov[i].iov_len);
	if (rc)
		return f->fd < 0 ? rc : give_up(f, rc);
	f->whole += (off_t)len;
	return 0;
}

int pcapfile_write(struct pcapfile *f, const struct vde_plugin_frame *v)
{
	const uint8_t tag[ETHER_TAG_LEN] = { ETHERTYPE_VLAN >> 8,
					     ETHERTYPE_VLAN & 0xff,
					     (uint8_t)(v->tci >> 8),
					     (uint8_t)(v->tci & 0xff) };
	size_t addrs = v->tagged ? 2 * ETHER_ADDR_LEN : v->len;
	struct record_header rec = { 0 };
	struct iovec iov[] = {
		{ &rec, sizeof(rec) },
		{ unconst(v->data), addrs },
		{ unconst(tag), v->tagged ? sizeof(tag) : 0 },
		{ unconst(v->data + addrs), v->len - addrs },
	};
	struct timespec now;

	if (f->fd < 0)
		return -EBADF;
	clock_gettime(CLOCK_REALTIME, &now);
	rec.sec = (uint32_t)now.tv_sec;
	rec.usec = (uint32_t)(now.tv_nsec / 1000);
	rec.len = rec.caplen = v->len + (uint32_t)iov[2].iov_len;
	f->frames++;
	return put(f, iov, ARRAY_SIZE(iov), sizeof(rec) + rec.len);
}
