/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aead - one switch over the ciphers of libsodium, and nonces from counters
 */
#include "cryptcab/aead.h"

#include <assert.h>

#define NONCE_LEN 12

static_assert(crypto_aead_chacha20poly1305_ietf_KEYBYTES == AEAD_KEY_LEN,
	      "key of ChaCha20");
static_assert(crypto_aead_aes256gcm_KEYBYTES == AEAD_KEY_LEN, "key of AES");
static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == AEAD_TAG_LEN &&
		      crypto_aead_aes256gcm_ABYTES == AEAD_TAG_LEN,
	      "tags");
static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == NONCE_LEN &&
		      crypto_aead_aes256gcm_NPUBBYTES == NONCE_LEN,
	      "nonces");

static const char *const names[] = {
	[AEAD_CHACHAPOLY] = "ChaChaPoly",
	[AEAD_AESGCM] = "AESGCM",
};
static_assert(sizeof(names) / sizeof(names[0]) == AEAD_N_CIPHERS,
	      "a cipher has no name");

const char *aead_name(enum aead_cipher cipher)
{
	return names[cipher];
}

bool aead_available(enum aead_cipher cipher)
{
	return cipher == AEAD_CHACHAPOLY ||
	       (cipher == AEAD_AESGCM && crypto_aead_aes256gcm_is_available());
}

void aead_init(struct aead *a, enum aead_cipher cipher,
	       const uint8_t key[static AEAD_KEY_LEN])
{
	a->cipher = cipher;
	if (cipher == AEAD_AESGCM)
		crypto_aead_aes256gcm_beforenm(&a->u.aes, key);
	else
		for (int i = 0; i < AEAD_KEY_LEN; i++)
			a->u.key[i] = key[i];
}

void aead_fini(struct aead *a)
{
	sodium_memzero(a, sizeof(*a));
}

static void make_nonce(enum aead_cipher cipher, uint64_t counter,
		       uint8_t nonce[static NONCE_LEN])
{
	int i;

	for (i = 0; i < 4; i++)
		nonce[i] = 0;
	for (i = 0; i < 8; i++) {
		int at = cipher == AEAD_AESGCM ? 11 - i : 4 + i;

		nonce[at] = (uint8_t)(counter >> (8 * i));
	}
}

void aead_seal(const struct aead *a, uint64_t counter, const uint8_t *ad,
	       size_t ad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t nonce[NONCE_LEN];

	make_nonce(a->cipher, counter, nonce);
	if (a->cipher == AEAD_AESGCM)
		crypto_aead_aes256gcm_encrypt_detached_afternm(
			out, out + len, NULL, in, len, ad, ad_len, NULL, nonce,
			&a->u.aes);
	else
		crypto_aead_chacha20poly1305_ietf_encrypt_detached(
			out, out + len, NULL, in, len, ad, ad_len, NULL, nonce,
			a->u.key);
}

bool aead_open(const struct aead *a, uint64_t counter, const uint8_t *ad,
	       size_t ad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t nonce[NONCE_LEN];

	if (len < AEAD_TAG_LEN)
		return false;
	len -= AEAD_TAG_LEN;
	make_nonce(a->cipher, counter, nonce);
	if (a->cipher == AEAD_AESGCM)
		return crypto_aead_aes256gcm_decrypt_detached_afternm(
			       out, NULL, in, len, in + len, ad, ad_len, nonce,
			       &a->u.aes) == 0;
	return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
		       out, NULL, in, len, in + len, ad, ad_len, nonce,
		       a->u.key) == 0;
}
