// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/peersdisk.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "cryptcab/keyfile.h"

#define NAMES_TRIED 1000

/* ---- reading ---- */

static bool has_psks(const struct peersfile *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (f->peers[i].psk && !f->peers[i].psk_path)
			return true;
	return false;
}

static int parse(struct peersfile **f, const char *path,
		 const struct privtext *t, struct strbuf *why)
{
	char reason[200];
	struct strbuf b;
	int rc;

	strbuf_init(&b, reason, sizeof(reason));
	rc = peersfile_parse(f, t->s, t->len, &b);
	if (rc) {
		strbuf_fmt(why, "unable to use %s: %s", path, reason);
		return rc;
	}
	if (!t->exposed || !has_psks(*f))
		return 0;
	strbuf_fmt(why,
		   "unable to trust %s: it has pre-shared keys, and others may "
		   "read it: chmod 600 %s",
		   path, path);
	peersfile_free(*f);
	*f = NULL;
	return -EPERM;
}

static int read_file(struct peersfile **f, struct privtext *t, const char *path,
		     struct strbuf *why)
{
	int rc = privfile_read(t, path, PRIVFILE_PUBLIC, PEERSFILE_BYTES, why);

	if (rc)
		return rc;
	rc = parse(f, path, t, why);
	if (rc)
		privtext_free(t);
	return rc;
}

/* Relative to the directory of @path. */
static int load_psk(const struct peersfile_peer *p, const char *path,
		    struct strbuf *why)
{
	const char *slash = strrchr(path, '/');
	char full[PATH_MAX];
	int rc;

	if (*p->psk_path == '/' || !slash)
		rc = str_copy(full, sizeof(full), p->psk_path);
	else
		rc = str_fmt(full, sizeof(full), "%.*s%s",
			     (int)(slash - path) + 1, path, p->psk_path);
	if (rc < 0) {
		strbuf_fmt(why, "unable to use %s: line %u: too long a path",
			   path, p->line);
		return rc;
	}
	return keyfile_read_psk(p->psk, full, why);
}

int peersdisk_load(struct peersfile **f, const char *path, struct strbuf *why)
{
	struct privtext t;
	int rc;

	*f = NULL;
	rc = read_file(f, &t, path, why);
	if (rc)
		return rc;
	privtext_free(&t);
	for (uint32_t i = 0; !rc && i < (*f)->n; i++)
		if ((*f)->peers[i].psk_path)
			rc = load_psk(&(*f)->peers[i], path, why);
	if (rc) {
		peersfile_free(*f);
		*f = NULL;
		/* Not to be mistaken for a peers file that is missing. */
		return rc == -ENOENT ? -EINVAL : rc;
	}
	return 0;
}

/* ---- changing ---- */

int peersdisk_begin(struct peersdisk *d, const char *path, unsigned int wait_ms,
		    struct strbuf *why)
{
	struct privtext t;
	int rc;

	*d = (struct peersdisk){ .lock.fd = -1 };
	rc = privfile_lock(&d->lock, path, wait_ms, why);
	if (rc)
		return rc;
	rc = read_file(&d->f, &t, d->lock.path, why);
	if (rc) {
		privfile_unlock(&d->lock);
		return rc;
	}
	d->text = t.s;
	d->len = t.len;
	d->exposed = t.exposed;
	return 0;
}

static void forget(struct peersdisk *d)
{
	peersfile_free(d->f);
	sodium_free(d->text);
	d->f = NULL;
	d->text = NULL;
}

void peersdisk_abort(struct peersdisk *d)
{
	forget(d);
	privfile_unlock(&d->lock);
}

int peersdisk_commit(struct peersdisk *d, struct strbuf *why)
{
	int rc = privfile_replace(&d->lock, d->text, d->len, why);

	forget(d);
	return rc;
}

/* Another text from now on: bytes @from to @to of the old one are replaced. */
static int splice(struct peersdisk *d, size_t from, size_t to, const char *with,
		  size_t n, struct strbuf *why)
{
	struct privtext t = { .len = d->len - (to - from) + n,
			      .exposed = d->exposed };
	struct peersfile *f;
	int rc;

	t.s = sodium_malloc(t.len + 1);
	if (!t.s) {
		strbuf_add(why, "not enough memory");
		return -ENOMEM;
	}
	memcpy(t.s, d->text, from);
	memcpy(t.s + from, with, n);
	memcpy(t.s + from + n, d->text + to, d->len - to);
	t.s[t.len] = '\0';
	/* Whatever it is, the next one who reads it must not fail. */
	rc = t.len > PEERSFILE_BYTES ? -EFBIG : 0;
	if (rc)
		strbuf_fmt(why, "unable to add to %s: it is full",
			   d->lock.path);
	else
		rc = parse(&f, d->lock.path, &t, why);
	if (rc) {
		privtext_free(&t);
		return rc;
	}
	forget(d);
	d->f = f;
	d->text = t.s;
	d->len = t.len;
	return 0;
}

static int append(struct peersdisk *d, const struct peersfile_peer *p, char *s,
		  struct strbuf *why)
{
	struct strbuf b;

	strbuf_init(&b, s, PEERSFILE_BLOCK_SIZE);
	if (d->len && d->text[d->len - 1] != '\n')
		strbuf_add(&b, "\n");
	if (d->len)
		strbuf_add(&b, "\n");
	peersfile_write(&b, p);
	if (b.cut) {
		strbuf_fmt(why, "unable to add peer %s: too long", p->name);
		return -EFBIG;
	}
	return splice(d, d->len, d->len, b.s, b.len, why);
}

int peersdisk_append(struct peersdisk *d, const struct peersfile_peer *p,
		     struct strbuf *why)
{
	const struct peersfile_peer *old = peersfile_find(d->f, p->key);
	char *s;
	int rc;

	if (!peersfile_name_ok(p->name)) {
		strbuf_add(why, "unable to add peer: that is no name");
		return -EINVAL;
	}
	if (!old)
		old = peersfile_find_name(d->f, p->name);
	if (old) {
		strbuf_fmt(
			why, "unable to add peer %s: %s, line %u, has its %s",
			p->name, d->lock.path, old->line,
			memcmp(old->key, p->key, KEY64_BYTES) ? "name" : "key");
		return -EEXIST;
	}
	s = sodium_malloc(PEERSFILE_BLOCK_SIZE);
	if (!s) {
		strbuf_add(why, "not enough memory");
		return -ENOMEM;
	}
	rc = append(d, p, s, why);
	sodium_free(s);
	return rc;
}

int peersdisk_remove(struct peersdisk *d, const struct peersfile_peer *p,
		     struct strbuf *why)
{
	size_t from = p->from, to = p->to;

	/* The end of its last line, and an empty one behind it. */
	for (int i = 0; i < 2 && to < d->len && d->text[to] == '\n'; i++)
		to++;
	return splice(d, from, to, "", 0, why);
}

int peersdisk_add(const char *path, const struct peersfile_peer *p,
		  struct strbuf *why)
{
	struct peersdisk d;
	int rc = peersdisk_begin(&d, path, PEERSDISK_WAIT_MS, why);

	if (rc)
		return rc;
	rc = peersdisk_append(&d, p, why);
	if (!rc)
		return peersdisk_commit(&d, why);
	peersdisk_abort(&d);
	return rc;
}

int peersdisk_del(const char *path, const char *name, struct strbuf *why)
{
	const struct peersfile_peer *p;
	struct peersdisk d;
	int rc = peersdisk_begin(&d, path, PEERSDISK_WAIT_MS, why);

	if (rc)
		return rc;
	p = peersfile_find_name(d.f, name);
	if (p) {
		rc = peersdisk_remove(&d, p, why);
	} else {
		rc = -ENOENT;
		strbuf_fmt(why, "unable to find peer %.63s in %s", name, path);
	}
	if (!rc)
		return peersdisk_commit(&d, why);
	peersdisk_abort(&d);
	return rc;
}

/* A name that nobody has: itself, or with a number behind it. */
static bool free_name(const struct peersfile *f, char name[static 1])
{
	char base[PEERSFILE_NAME_SIZE];

	(void)str_copy(base, sizeof(base), name);
	base[sizeof(base) - sizeof("-1000")] = '\0';
	for (int i = 2; peersfile_find_name(f, name); i++) {
		if (i == NAMES_TRIED)
			return false;
		(void)str_fmt(name, PEERSFILE_NAME_SIZE, "%s-%d", base, i);
	}
	return true;
}

int peersdisk_enrol(struct peersdisk *d, struct peersfile_peer *p,
		    struct strbuf *why)
{
	const struct peersfile_peer *old = peersfile_find(d->f, p->key);

	if (old) {
		memcpy(p->name, old->name, sizeof(p->name));
		return 1;
	}
	if (!free_name(d->f, p->name)) {
		strbuf_fmt(why, "unable to add peer %s: too many of that name",
			   p->name);
		return -EEXIST;
	}
	return peersdisk_append(d, p, why);
}

static int replace(struct peersdisk *d, const struct peersfile_peer *old,
		   const struct peersfile_peer *p, struct strbuf *why)
{
	char *s = sodium_malloc(PEERSFILE_BLOCK_SIZE);
	struct peersfile_peer merged = *old;
	struct strbuf b;
	int rc;

	if (!s) {
		strbuf_add(why, "not enough memory");
		return -ENOMEM;
	}
	if (p->psk) {
		merged.psk = p->psk;
		merged.psk_path = NULL;
	}
	if (p->n_addrs) {
		merged.addrs = p->addrs;
		merged.n_addrs = p->n_addrs;
	}
	strbuf_init(&b, s, PEERSFILE_BLOCK_SIZE);
	peersfile_write(&b, &merged);
	/* Its newline is there already. */
	rc = b.cut ? -EFBIG
		   : splice(d, old->from, old->to, b.s, b.len - 1, why);
	sodium_free(s);
	return rc;
}

int peersdisk_renew(const char *path, struct peersfile_peer *p,
		    struct strbuf *why)
{
	const struct peersfile_peer *old;
	struct peersdisk d;
	int rc = peersdisk_begin(&d, path, PEERSDISK_WAIT_MS, why);

	if (rc)
		return rc;
	old = peersfile_find(d.f, p->key);
	if (old) {
		memcpy(p->name, old->name, sizeof(p->name));
		rc = replace(&d, old, p, why);
	} else {
		rc = peersdisk_enrol(&d, p, why);
	}
	if (!rc)
		return peersdisk_commit(&d, why);
	peersdisk_abort(&d);
	return rc;
}
