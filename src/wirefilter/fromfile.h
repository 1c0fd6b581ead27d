/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fromfile - settings whose values are in files: lists of lost frames, and
 * tables of distributions
 *
 * A file is read as a whole, at once, and not kept open. -errno after saying
 * in @why what is wrong, with name and value; then nothing has changed.
 */
#ifndef WIREFILTER_FROMFILE_H
#define WIREFILTER_FROMFILE_H

#include "wirefilter/wirefilter.h"

#define FROMFILE_MAX ((size_t)4 << 20) /* bytes */

/* As wire_set(), and in place of the numbers of a losslist there may be
 * "@FILE". */
int fromfile_set(struct wirefilter *, unsigned int class, const char *name,
		 const char *text, struct strbuf *why);

/* The numbers of @file are the distribution @name from now on. *@table is for
 * those who want to know more of it; the wire's. */
int fromfile_table(struct wirefilter *, const char *name, const char *file,
		   const struct dist_table **table, struct strbuf *why);

#endif
