// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/privfile.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_POLL_MS 20

static int fail(struct strbuf *why, const char *verb, const char *path, int rc)
{
	strbuf_fmt(why, "unable to %s %s: %s", verb, path, strerror(-rc));
	return rc;
}

/* ---- reading ---- */

static int check_trust(const struct stat *st, const char *path,
		       enum privfile_trust trust, struct strbuf *why)
{
	unsigned int mode = st->st_mode & 07777;
	bool secret = trust == PRIVFILE_SECRET;

	if (!S_ISREG(st->st_mode)) {
		strbuf_fmt(why, "unable to read %s: not a regular file", path);
		return -EINVAL;
	}
	if (st->st_uid != geteuid() && st->st_uid != 0) {
		strbuf_fmt(why,
			   "unable to trust %s: it belongs to user %u, "
			   "not to user %u or root",
			   path, (unsigned int)st->st_uid,
			   (unsigned int)geteuid());
		return -EPERM;
	}
	if (mode & (secret ? 077 : 022)) {
		strbuf_fmt(why,
			   "unable to trust %s: others may %s it, its mode is "
			   "%04o: chmod %s %s",
			   path, mode & 022 ? "change" : "read", mode,
			   secret ? "600" : "go-w", path);
		return -EPERM;
	}
	return 0;
}

/* The size is known; one byte more would be a file that grows. */
static int read_all(int fd, char *to, size_t len)
{
	size_t got = 0;
	ssize_t n;

	do {
		n = read(fd, to + got, len + 1 - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		got += (size_t)n;
	} while (n && got <= len);
	return got == len ? 0 : -ESTALE;
}

static int read_fd(struct privtext *t, int fd, size_t len)
{
	int rc;

	t->s = sodium_malloc(len + 1);
	if (!t->s)
		return -ENOMEM;
	rc = read_all(fd, t->s, len);
	if (rc) {
		privtext_free(t);
		return rc;
	}
	t->s[len] = '\0';
	t->len = len;
	return 0;
}

int privfile_read(struct privtext *t, const char *path,
		  enum privfile_trust trust, size_t max, struct strbuf *why)
{
	struct stat st;
	int fd, rc;

	*t = (struct privtext){ 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fail(why, "open", path, -errno);
	if (fstat(fd, &st)) {
		rc = fail(why, "read", path, -errno);
		goto out;
	}
	rc = check_trust(&st, path, trust, why);
	if (rc)
		goto out;
	if ((uintmax_t)st.st_size > max) {
		rc = -EFBIG;
		strbuf_fmt(why, "unable to read %s: more than %zu bytes", path,
			   max);
		goto out;
	}
	rc = read_fd(t, fd, (size_t)st.st_size);
	if (rc)
		fail(why, "read", path, rc);
	t->exposed = st.st_mode & 077;
out:
	close(fd);
	return rc;
}

void privtext_free(struct privtext *t)
{
	sodium_free(t->s);
	*t = (struct privtext){ 0 };
}

/* ---- writing ---- */

static int make_dirs(const char *path)
{
	char dir[PATH_MAX];

	if (str_copy(dir, sizeof(dir), path) < 0)
		return -ENAMETOOLONG;
	for (char *s = strchr(dir + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (mkdir(dir, 0700) && errno != EEXIST)
			return -errno;
		*s = '/';
	}
	return 0;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

/* The name of a file is on the disk when its directory is. */
static int sync_dir(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 0;
	int fd, rc;

	if (n >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, n);
	dir[n] = '\0';
	fd = open(n ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* EINVAL: a file system that has nothing to write. */
	rc = fsync(fd) && errno != EINVAL ? -errno : 0;
	close(fd);
	return rc;
}

/* A file beside @path with the bytes in it, of mode 0600 or, if there is one,
 * with owner and mode of @like. Its name is left in @tmp. */
static int write_beside(char tmp[static PATH_MAX], const char *path,
			const struct stat *like, const void *data, size_t len)
{
	int fd, rc;

	if (str_fmt(tmp, PATH_MAX, "%s.XXXXXX", path) < 0)
		return -ENAMETOOLONG;
	fd = mkostemp(tmp, O_CLOEXEC); /* exclusive, mode 0600 */
	if (fd < 0)
		return -errno;
	rc = write_all(fd, data, len);
	if (!rc && like &&
	    ((like->st_uid != geteuid() &&
	      fchown(fd, like->st_uid, like->st_gid)) ||
	     fchmod(fd, like->st_mode & 0777)))
		rc = -errno;
	if (close(fd) && !rc)
		rc = -errno;
	if (rc)
		unlink(tmp);
	return rc;
}

static int create(const char *path, const void *data, size_t len)
{
	char tmp[PATH_MAX];
	int rc = make_dirs(path);

	if (!rc)
		rc = write_beside(tmp, path, NULL, data, len);
	if (rc)
		return rc;
	/* Unlike rename() it replaces nothing. */
	if (link(tmp, path))
		rc = -errno;
	unlink(tmp);
	return rc ? rc : sync_dir(path);
}

int privfile_create(const char *path, const void *data, size_t len,
		    struct strbuf *why)
{
	int rc = create(path, data, len);

	return rc ? fail(why, "create", path, rc) : 0;
}

/* ---- changing ---- */

static int flock_within(int fd, unsigned int wait_ms)
{
	const struct timespec nap = { .tv_nsec = LOCK_POLL_MS * 1000000L };

	for (unsigned int t = 0;; t += LOCK_POLL_MS) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (t >= wait_ms)
			return -EAGAIN;
		nanosleep(&nap, NULL);
	}
}

/* Locks what is at the path now. Who waited may have got the lock of a file
 * that was replaced meanwhile: -ESTALE. */
static int lock_once(struct privlock *l, unsigned int wait_ms)
{
	struct stat mine, there;
	int rc;

	l->fd = open(l->path,
		     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY |
			     O_NONBLOCK,
		     0600);
	if (l->fd < 0)
		return -errno;
	rc = flock_within(l->fd, wait_ms);
	if (!rc && fstat(l->fd, &mine))
		rc = -errno;
	if (!rc && (stat(l->path, &there) || mine.st_ino != there.st_ino ||
		    mine.st_dev != there.st_dev))
		rc = -ESTALE;
	if (!rc && !S_ISREG(mine.st_mode))
		rc = -EINVAL;
	if (rc)
		privfile_unlock(l);
	return rc;
}

int privfile_lock(struct privlock *l, const char *path, unsigned int wait_ms,
		  struct strbuf *why)
{
	char *real = realpath(path, NULL);
	int rc;

	l->fd = -1;
	rc = str_copy(l->path, sizeof(l->path), real ? real : path);
	free(real);
	if (rc >= 0)
		rc = make_dirs(l->path);
	for (int i = 0; !rc; i++) {
		rc = lock_once(l, wait_ms);
		if (rc != -ESTALE || i == 100)
			break;
		rc = 0;
	}
	if (rc == -EAGAIN)
		strbuf_fmt(why, "unable to lock %s: in use", path);
	else if (rc)
		fail(why, "lock", path, rc);
	return rc;
}

int privfile_replace(struct privlock *l, const void *data, size_t len,
		     struct strbuf *why)
{
	char tmp[PATH_MAX];
	struct stat st;
	int rc;

	rc = fstat(l->fd, &st) ? -errno : 0;
	if (!rc)
		rc = write_beside(tmp, l->path, &st, data, len);
	if (!rc && rename(tmp, l->path)) {
		rc = -errno;
		unlink(tmp);
	}
	if (!rc)
		rc = sync_dir(l->path);
	if (rc)
		fail(why, "write", l->path, rc);
	privfile_unlock(l);
	return rc;
}

void privfile_unlock(struct privlock *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

/* ---- where ---- */

static const char *home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *pw;

	if (dir && *dir == '/')
		return dir;
	pw = getpwuid(geteuid());
	return pw ? pw->pw_dir : NULL;
}

int privfile_default(char *path, size_t size, const char *name,
		     struct strbuf *why)
{
	const char *dir = getenv("XDG_CONFIG_HOME");
	int rc;

	if (geteuid() == 0)
		rc = str_fmt(path, size, "/etc/vde/%s", name);
	else if (dir && *dir == '/')
		rc = str_fmt(path, size, "%s/vde/%s", dir, name);
	else if ((dir = home()))
		rc = str_fmt(path, size, "%s/.config/vde/%s", dir, name);
	else
		rc = -ENOENT;
	return rc < 0 ? fail(why, "find a place for", name, rc) : 0;
}
