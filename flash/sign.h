/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signing elsewhere: taking out of an image what is to be signed, and putting a signature in.
 */
#ifndef FLASH_SIGN_H
#define FLASH_SIGN_H

#include "fault.h"

/* Writes the image's index, which is what signify or minisign shall sign, to the file name. */
int sign_extract_index(const char *image, const char *name, struct fault *f);

/*
 * Writes the image with the signature file in it to out, which may be the image itself. A signature
 * that it has already is replaced. If key is not NULL, the signature must verify with that
 * public key.
 */
int sign_insert(const char *image, const char *signature, const char *key, const char *out,
		struct fault *f);

#endif
