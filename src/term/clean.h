/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clean - make text of a stranger harmless for a terminal
 *
 * A terminal obeys control characters: the 32 of ASCII and DEL, the 32 that
 * begin at 0x80, and Unicode's marks that turn the writing direction round.
 * Each byte of one becomes '?', as does every byte that is not proper UTF-8;
 * a tab stays. Where the terminal does not speak UTF-8, what is not ASCII
 * becomes '?' too.
 */
#ifndef TERM_CLEAN_H
#define TERM_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

/* Copies @len bytes to @dst, which may be @src. The length stays the same. */
void clean_text(char *dst, const char *src, size_t len, bool utf8);

/* Number of bytes, 0 to 3, at the end of @s that begin a UTF-8 character
 * and do not finish it. */
size_t clean_partial(const char *s, size_t len);

#endif
