/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peersdisk - peers files on the disk: read, and changed while others may
 * read or change them
 *
 * A change locks the file, reads it, and puts a new text in its place as a
 * whole; all but the one block stays as it is, comments too. A file that is
 * not all right is not changed. Who may write it is checked as privfile.h
 * says, and if there are pre-shared keys in it, who may read it.
 *
 * All say in @why what is wrong, with the name of the file, and give 0 or
 * -errno. sodium_init() comes first.
 */
#ifndef CRYPTCAB_PEERSDISK_H
#define CRYPTCAB_PEERSDISK_H

#include "cryptcab/peersfile.h"
#include "cryptcab/privfile.h"

#define PEERSDISK_WAIT_MS 5000 /* for other writers, in one-step changes */

/* With the keys of its pskfiles, whose paths are relative to the file's
 * directory. -ENOENT: there is no such file. */
int peersdisk_load(struct peersfile **, const char *path, struct strbuf *why);

/* A file that is being changed: peersdisk_begin(), then any number of calls in
 * any order, then one of the last two, which ends it. */
struct peersdisk {
	struct privlock lock;
	struct peersfile *f; /* as it is now */
	char *text; /* the same, of sodium_malloc() */
	size_t len;
	bool exposed; /* others may read it: no secrets */
};

/* A file that is not there is made, empty. -EAGAIN: others were at it for all
 * of @wait_ms. */
int peersdisk_begin(struct peersdisk *, const char *path, unsigned int wait_ms,
		    struct strbuf *why);
/* @p at the end. -EEXIST: its name or key is there. */
int peersdisk_append(struct peersdisk *, const struct peersfile_peer *p,
		     struct strbuf *why);
/* Takes out @p, one of d->f: a pointer into it is worth nothing afterwards. */
int peersdisk_remove(struct peersdisk *, const struct peersfile_peer *p,
		     struct strbuf *why);
int peersdisk_commit(struct peersdisk *, struct strbuf *why);
void peersdisk_abort(struct peersdisk *);

/* One step of these. -EEXIST and -ENOENT as one expects. */
int peersdisk_add(const char *path, const struct peersfile_peer *p,
		  struct strbuf *why);
int peersdisk_del(const char *path, const char *name, struct strbuf *why);

/* A server that a client knows: adds @p or, if its key is there, replaces its
 * psk and addresses (if @p has any) and keeps its name, which p->name is then,
 * and rules. */
int peersdisk_renew(const char *path, struct peersfile_peer *p,
		    struct strbuf *why);

/* Adds @p unless its key is there: 1 then, and p->name is the name it has
 * there. A name that another key has becomes NAME-2, NAME-3, ...: p->name is
 * what it became. */
int peersdisk_enrol(struct peersdisk *, struct peersfile_peer *p,
		    struct strbuf *why);

#endif
