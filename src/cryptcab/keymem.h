/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keymem - memory for keys: never swapped, dumped, or seen by a child
 *
 * Whole pages, locked where the limits allow it. What is freed is wiped first;
 * a child process finds zeros in it.
 */
#ifndef CRYPTCAB_KEYMEM_H
#define CRYPTCAB_KEYMEM_H

#include <stdbool.h>
#include <stddef.h>

/* Zeros; NULL without memory. */
void *keymem_alloc(size_t size);
void keymem_free(void *);
/* False: some of it may be swapped. */
bool keymem_is_locked(void);

#endif
