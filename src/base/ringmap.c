// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/ringmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t file_size(uint32_t size)
{
	return RINGMAP_HEADER + 2 * (size_t)size;
}

int ringmap_create(uint32_t size)
{
	int fd = memfd_create("vde-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, (off_t)file_size(size)) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* A file that its maker can still shrink would kill us by SIGBUS. */
static int check(int fd, uint32_t size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || fstat(fd, &st))
		return -errno;
	if (!(seals & F_SEAL_SHRINK) || st.st_size != (off_t)file_size(size))
		return -EPROTO;
	return 0;
}

static bool map_at(uint8_t *at, int fd, size_t off, size_t len)
{
	return mmap(at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		    (off_t)off) != MAP_FAILED;
}

int ringmap_open(struct ringmap *m, int fd, uint32_t size, uint32_t max_len)
{
	size_t len = RINGMAP_HEADER + 4 * (size_t)size;
	uint8_t *base, *data;
	int rc;

	m->base = NULL;
	if (size < RING_MIN_SIZE || size > RING_MAX_SIZE || size & (size - 1))
		return -EPROTO;
	/* It must fit; and a length plus a header must not pass 2^32. */
	if (max_len > size - sizeof(struct ring_record))
		return -EPROTO;
	rc = check(fd, size);
	if (rc)
		return rc;
	base = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	data = base + RINGMAP_HEADER;
	if (!map_at(base, fd, 0, RINGMAP_HEADER + size) ||
	    !map_at(data + size, fd, RINGMAP_HEADER, size) ||
	    !map_at(data + 2 * (size_t)size, fd, RINGMAP_HEADER + size, size) ||
	    !map_at(data + 3 * (size_t)size, fd, RINGMAP_HEADER + size, size)) {
		rc = -errno;
		munmap(base, len);
		return rc;
	}
	m->base = base;
	m->len = len;
	ring_init(&m->to_switch, (struct ring_shared *)(void *)base, data, size,
		  max_len);
	ring_init(&m->to_client, (struct ring_shared *)(void *)base + 1,
		  data + 2 * (size_t)size, size, max_len);
	return 0;
}

void ringmap_close(struct ringmap *m)
{
	if (m->base)
		munmap(m->base, m->len);
	m->base = NULL;
}
