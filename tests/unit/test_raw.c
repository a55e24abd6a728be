// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <sodium/crypto_hash_sha256.h>

#include "chunks.h"
#include "gzip.h"
#include "helpers.h"
#include "image.h"
#include "raw.h"

static int allocations_left = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (allocations_left >= 0 && allocations_left-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_malloc(size);
}

static bool disk_full;

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	if (!disk_full)
		return __real_write(fd, buf, len > 10000 ? 10000 : len);
	errno = ENOSPC;
	return -1;
}

enum { CHUNK = 128 << 10, LEN = 3 * CHUNK + 5000, KERNEL = CHUNK };

static uint8_t data[LEN], kernel[KERNEL], packed[LEN + 1000];
static char rootfs_file[128], kernel_file[128];
static struct raw_input input[2];
static struct raw_image raw;
static struct fault f;
static unsigned int fds;

static void set_input(int i, const char *part, const char *file)
{
	input[i] = (struct raw_input){
		.file = file,
		.to = { .kind = PAYLOAD_MTD, .tail = TAIL_ERASE, .chunk_size = CHUNK },
	};
	(void)strcpy(input[i].to.part, part);
}

/* Two files; in one of them a chunk is blank. */
static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	disk_full = false;
	fds = count_fds();
	fill_random(data, LEN, 1);
	memset(data + CHUNK, 0xff, CHUNK);
	fill_random(kernel, KERNEL, 2);
	(void)snprintf(rootfs_file, sizeof(rootfs_file), "%s", temp_path("rootfs.bin"));
	(void)snprintf(kernel_file, sizeof(kernel_file), "%s", temp_path("kernel.bin"));
	write_file(rootfs_file, data, LEN);
	write_file(kernel_file, kernel, KERNEL);
	memset(input, 0, sizeof(input));
	set_input(0, "rootfs", rootfs_file);
	set_input(1, "kernel", kernel_file);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static void open_raw(unsigned int count)
{
	if (raw_open(&raw, input, count, NULL, NULL, &f) < 0)
		fail_msg("%s", f.text);
}

static void expect_refused(unsigned int count, const char *what)
{
	assert_int_equal(raw_open(&raw, input, count, NULL, NULL, &f), -1);
	raw_close(&raw);
	assert_fault(&f, FAULT_IMAGE, what);
}

static int write_raw(int (*keep_going)(void))
{
	int fd = open(temp_path("fw.fwi"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int result;

	assert_true(fd >= 0);
	result = raw_write(&raw, fd, keep_going, &f);
	(void)close(fd);
	return result;
}

static void expect_payload(struct source *src, const struct payload *p, const char *part,
			   const uint8_t *bytes, size_t len)
{
	uint8_t *buf = malloc(len + 1);
	struct chunk_reader r;
	size_t got;

	assert_non_null(buf);
	assert_string_equal(p->part, part);
	assert_int_equal(p->kind, PAYLOAD_MTD);
	assert_int_equal(p->tail, TAIL_ERASE);
	assert_int_equal(p->size, len);
	assert_int_equal(chunk_reader_open(&r, src, p, &f), 0);
	assert_int_equal(chunk_reader_read(&r, buf, len + 1, &got, &f), 0);
	assert_int_equal(got, len);
	assert_memory_equal(buf, bytes, len);
	chunk_reader_close(&r);
	free(buf);
}

/* What raw_write() wrote is an image, and its payloads are what they should be. */
static void expect_image(unsigned int count)
{
	static const struct key_ring no_keys;
	struct source src;
	struct image img;

	assert_int_equal(source_open(&src, temp_path("fw.fwi"), &f), 0);
	if (image_read(&img, &src, &no_keys, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(img.payload_count, count);
	assert_int_equal(img.board_count, 0);
	assert_int_equal(img.trust, IMAGE_UNSIGNED);
	expect_payload(&src, &img.payload[0], "rootfs", data, LEN);
	if (count > 1)
		expect_payload(&src, &img.payload[1], "kernel", kernel, KERNEL);
	assert_int_equal(source_expect_end(&src, &f), 0);
	assert_int_equal(src.pos, image_file_size(&raw.image));
	image_free(&img);
	source_close(&src);
}

static void one_file(void **state)
{
	open_raw(1);
	assert_int_equal(raw.image.payload_count, 1);
	assert_int_equal(raw.image.payload[0].chunk_count, 4);
	assert_int_equal(payload_chunk(&raw.image.payload[0], 1).encoding, CHUNK_BLANK);
	assert_int_equal(raw.image.body_size, LEN - CHUNK);
	assert_int_equal(write_raw(NULL), 0);
	expect_image(1);
	raw_close(&raw);
	raw_close(&raw); /* twice does no harm */
}

static void two_files(void **state)
{
	open_raw(2);
	assert_int_equal(write_raw(NULL), 0);
	expect_image(2);
	assert_int_equal(write_raw(NULL), 0); /* as often as one likes */
	expect_image(2);
	raw_close(&raw);
}

static void pack_file(void)
{
	size_t half = LEN / 2, len = gzip_pack(data, half, packed, sizeof(packed));

	len += gzip_pack(data + half, LEN - half, packed + len, sizeof(packed) - len);
	(void)snprintf(rootfs_file, sizeof(rootfs_file), "%s", temp_path("rootfs.gz"));
	write_file(rootfs_file, packed, len);
}

static void packed_file(void **state)
{
	pack_file();
	open_raw(2);
	assert_int_equal(raw.image.payload[0].size, LEN);
	assert_int_equal(write_raw(NULL), 0);
	expect_image(2);
	raw_close(&raw);
}

static void packed_file_that_is_damaged(void **state)
{
	size_t len;
	uint8_t *file;

	pack_file();
	file = read_file(rootfs_file, &len);
	write_file(rootfs_file, file, len - 1);
	expect_refused(1, "rootfs.gz: cut short: the gzip data do not end");
	write_file(rootfs_file, file, len + 1); /* read_file() has put a NUL there */
	expect_refused(1, "rootfs.gz: ");
	file[len / 2] ^= 1;
	write_file(rootfs_file, file, len);
	expect_refused(1, "rootfs.gz: not a gzip file, or damaged");
	free(file);
	write_text(rootfs_file, "not packed at all, whatever the name says");
	expect_refused(1, "rootfs.gz: not a gzip file, or damaged");
}

/* Only the end of the name counts: ".gz" alone is a name like others. */
static void names_that_are_not_gzip(void **state)
{
	(void)snprintf(rootfs_file, sizeof(rootfs_file), "%s", temp_path("rootfs.gz.bin"));
	write_file(rootfs_file, data, LEN);
	open_raw(1);
	assert_int_equal(raw.image.payload[0].size, LEN);
	raw_close(&raw);
}

static void hex_of(char hex[65], const uint8_t *bytes, size_t len)
{
	uint8_t sum[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(sum, bytes, len); /* always 0 */
	for (size_t i = 0; i < sizeof(sum); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

static void checksum_of_the_caller(void **state)
{
	char hex[65], crc[9];

	hex_of(hex, data, LEN);
	assert_int_equal(raw_take_checksum(&input[0], hex, &f), 0);
	assert_int_equal(input[0].checks, RAW_SHA256);
	(void)snprintf(crc, sizeof(crc), "%08X", (unsigned int)crc32(0, kernel, KERNEL));
	assert_int_equal(raw_take_checksum(&input[1], crc, &f), 0);
	assert_int_equal(input[1].checks, RAW_CRC32);
	open_raw(2);
	raw_close(&raw);
	input[1].crc ^= 0x80000000;
	expect_refused(2, "kernel.bin: damaged: its CRC-32 is not the expected one");
	input[1].crc ^= 0x80000000;
	for (size_t i = 0; i < sizeof(input[0].sha256); i++) {
		input[0].sha256[i] ^= 1;
		expect_refused(1, "rootfs.bin: damaged: its SHA-256 is not the expected one");
		input[0].sha256[i] ^= 1;
	}
}

static void checksums_that_are_none(void **state)
{
	static const char *const wrong[] = { "",         "1234567",   "123456789", "1234567g",
					     "0x123456", " 12345678", "12345678x", "-1234567" };
	char hex[66];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(raw_take_checksum(&input[0], wrong[i], &f), -1);
		assert_fault(&f, FAULT_USAGE, "rootfs.bin: its checksum should be 64 (SHA-256)");
		assert_int_equal(input[0].checks, 0);
	}
	memset(hex, 'a', 65);
	hex[65] = '\0';
	assert_int_equal(raw_take_checksum(&input[0], hex, &f), -1);
	hex[63] = '\0';
	assert_int_equal(raw_take_checksum(&input[0], hex, &f), -1);
	assert_int_equal(raw_take_checksum(&input[0], "12345678  file\n", &f), 0);
	assert_int_equal(input[0].crc, 0x12345678);
	assert_int_equal(raw_take_checksum(&input[0], "aBcDeF09", &f), 0);
	assert_int_equal(input[0].crc, 0xabcdef09);
}

static void write_sidecar(const char *before, const char *hex, const char *behind)
{
	char path[160], text[256];

	(void)snprintf(path, sizeof(path), "%s.sha256", rootfs_file);
	(void)snprintf(text, sizeof(text), "%s%s%s", before, hex, behind);
	write_text(path, text);
}

static void sidecar_that_is_right(void **state)
{
	static const char *const ends[] = { "", "\n", "  rootfs.bin\n", " *rootfs.bin\n", "\r\n" };
	char hex[65];

	hex_of(hex, data, LEN);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		input[0].checks = 0;
		write_sidecar("", hex, ends[i]);
		assert_int_equal(raw_take_sidecar(&input[0], &f), 0);
		assert_int_equal(input[0].checks, RAW_SHA256);
		open_raw(1);
		raw_close(&raw);
	}
	assert_int_equal(raw_take_sidecar(&input[1], &f), 0); /* which has none */
	assert_int_equal(input[1].checks, 0);
}

/* The checksum of a packed file is that of the file, as sha256sum(1) tells it. */
static void sidecar_of_a_packed_file(void **state)
{
	char hex[65];
	size_t len;
	uint8_t *file;

	pack_file();
	file = read_file(rootfs_file, &len);
	hex_of(hex, file, len);
	write_sidecar("", hex, "  rootfs.gz\n");
	assert_int_equal(raw_take_sidecar(&input[0], &f), 0);
	open_raw(1);
	raw_close(&raw);
	hex_of(hex, data, LEN); /* of what is in it */
	write_sidecar("", hex, "\n");
	input[0].checks = 0;
	assert_int_equal(raw_take_sidecar(&input[0], &f), 0);
	expect_refused(1, "its SHA-256 is not the expected one");
	free(file);
}

static void sidecar_that_is_wrong(void **state)
{
	char hex[65];

	hex_of(hex, data, LEN - 1);
	write_sidecar("", hex, "\n");
	assert_int_equal(raw_take_sidecar(&input[0], &f), 0);
	expect_refused(1, "rootfs.bin: damaged: its SHA-256 is not the expected one");
}

static void sidecar_that_is_malformed(void **state)
{
	char hex[65], path[160];

	hex_of(hex, data, LEN);
	for (int i = 0; i < 6; i++) {
		static const char *const befores[] = { "x", " ", "\n", "", "", "" };
		static const char *const behinds[] = { "", "", "", "0", "x", ":" };

		input[0].checks = 0;
		write_sidecar(befores[i], hex, behinds[i]);
		assert_int_equal(raw_take_sidecar(&input[0], &f), -1);
		assert_fault(&f, FAULT_IMAGE,
			     "rootfs.bin.sha256: does not start with a SHA-256 in hexadecimal");
	}
	hex[63] = '\0';
	write_sidecar("", hex, "\n");
	assert_int_equal(raw_take_sidecar(&input[0], &f), -1);
	write_sidecar("", "12345678", "\n"); /* a CRC-32 is no SHA-256 */
	assert_int_equal(raw_take_sidecar(&input[0], &f), -1);
	assert_int_equal(f.kind, FAULT_IMAGE);
	write_sidecar("", "", "");
	input[0].checks = 0;
	assert_int_equal(raw_take_sidecar(&input[0], &f), -1);
	(void)snprintf(path, sizeof(path), "%s.sha256", rootfs_file);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)alarm(10); /* or it would wait for whoever writes to it */
	assert_int_equal(raw_take_sidecar(&input[0], &f), -1);
	(void)alarm(0);
	assert_fault(&f, FAULT_IMAGE, "rootfs.bin.sha256: cannot be read twice");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(raw_take_sidecar(&input[0], &f), -1);
	assert_int_equal(f.kind, FAULT_IMAGE);
}

/* What the caller says and what lies beside the file must both be right. */
static void sidecar_counts_as_well(void **state)
{
	char right[65], wrong[65], crc[9];

	hex_of(right, data, LEN);
	hex_of(wrong, data, LEN - 1);
	(void)snprintf(crc, sizeof(crc), "%08lx", crc32(0, data, LEN));
	write_sidecar("", right, "\n");
	assert_int_equal(raw_take_checksum(&input[0], right, &f), 0);
	assert_int_equal(raw_take_sidecar(&input[0], &f), 0);
	assert_int_equal(raw_take_checksum(&input[0], crc, &f), 0);
	assert_int_equal(input[0].checks, RAW_SHA256 | RAW_CRC32);
	open_raw(1);
	raw_close(&raw);
	input[0].crc ^= 1;
	expect_refused(1, "its CRC-32 is not the expected one");
	write_sidecar("", wrong, "\n");
	assert_int_equal(raw_take_sidecar(&input[0], &f), -1);
	assert_fault(&f, FAULT_IMAGE, "rootfs.bin.sha256: is not the SHA-256 that was given");
	input[0].checks = 0;
	assert_int_equal(raw_take_checksum(&input[0], crc, &f), 0);
	assert_int_equal(raw_take_sidecar(&input[0], &f), 0);
	expect_refused(1, "its SHA-256 is not the expected one");
}

static void files_that_cannot_be(void **state)
{
	write_text(kernel_file, "");
	expect_refused(2, "kernel.bin: is empty");
	assert_int_equal(unlink(kernel_file), 0);
	expect_refused(2, "kernel.bin: cannot open the image");
	assert_int_equal(mkdir(kernel_file, 0700), 0);
	expect_refused(2, "kernel.bin: is a directory, not an image");
	assert_int_equal(rmdir(kernel_file), 0);
	assert_int_equal(mkfifo(kernel_file, 0600), 0);
	(void)alarm(10); /* or it would wait for whoever writes to it */
	expect_refused(2, "kernel.bin: cannot be read twice; save it to a file");
	(void)alarm(0);
}

/* Packed or not, and in whichever file. */
static void ubinized_file_as_it_is(void **state)
{
	size_t len;

	memcpy(kernel, "UBI#", 4);
	write_file(kernel_file, kernel, KERNEL);
	assert_int_equal(raw_open(&raw, input, 2, NULL, NULL, &f), -1);
	raw_close(&raw);
	assert_fault(&f, FAULT_USAGE, "kernel.bin,kind=ubi");
	len = gzip_pack(kernel, KERNEL, packed, sizeof(packed));
	(void)snprintf(rootfs_file, sizeof(rootfs_file), "%s", temp_path("rootfs.gz"));
	write_file(rootfs_file, packed, len);
	assert_int_equal(raw_open(&raw, input, 1, NULL, NULL, &f), -1);
	raw_close(&raw);
	assert_fault(&f, FAULT_USAGE, "rootfs.gz: made by ubinize");
}

static void packed_file_of_nothing(void **state)
{
	size_t len = gzip_pack(data, 0, packed, sizeof(packed));

	(void)snprintf(rootfs_file, sizeof(rootfs_file), "%s", temp_path("rootfs.gz"));
	write_file(rootfs_file, packed, len);
	expect_refused(1, "rootfs.gz: is empty");
}

static void names_of_partitions(void **state)
{
	set_input(0, "../mtd", rootfs_file);
	expect_refused(1, "which looks like a path");
	set_input(0, "a\nb", rootfs_file);
	expect_refused(1, "only printable ASCII is allowed");
	set_input(0, "kernel", rootfs_file);
	expect_refused(2, "two payloads for kernel");
}

/* What the command line says of where a file shall go, and how. */
static void options_of_payloads(void **state)
{
	input[1].to.kind = PAYLOAD_UBIVOL;
	input[1].to.tail = TAIL_NONE;
	(void)strcpy(input[1].to.volume, "kernel_a");
	input[1].to.volume_type = VOLUME_STATIC;
	input[1].to.volume_size = 1 << 20;
	input[1].to.chunk_size = 2 * CHUNK;
	input[0].to.tail = TAIL_JFFS2;
	input[0].to.chunk_size = 4096;
	open_raw(2);
	assert_int_equal(raw.image.payload[0].tail, TAIL_JFFS2);
	assert_int_equal(raw.image.payload[0].chunk_count, (LEN + 4095) / 4096);
	assert_int_equal(raw.image.payload[1].kind, PAYLOAD_UBIVOL);
	assert_string_equal(raw.image.payload[1].volume, "kernel_a");
	assert_int_equal(raw.image.payload[1].volume_type, VOLUME_STATIC);
	assert_int_equal(raw.image.payload[1].volume_size, 1 << 20);
	assert_int_equal(raw.image.payload[1].chunk_count, 1);
	assert_int_equal(write_raw(NULL), 0);
	raw_close(&raw);
}

/* The same bytes, without preamble and index. */
static void chunks_alone(void **state)
{
	size_t all, alone, head;
	uint8_t *image, *chunks;
	int fd;

	open_raw(2);
	assert_int_equal(write_raw(NULL), 0);
	fd = open(temp_path("chunks"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(raw_write_chunks(&raw, fd, NULL, &f), 0);
	(void)close(fd);
	image = read_file(temp_path("fw.fwi"), &all);
	chunks = read_file(temp_path("chunks"), &alone);
	head = IMAGE_PREAMBLE_SIZE + raw.image.index_size;
	assert_int_equal(alone, raw.image.body_size);
	assert_int_equal(all, head + alone);
	assert_memory_equal(image + head, chunks, alone);
	free(image);
	free(chunks);
	raw_close(&raw);
}

static void expect_changed(const char *what)
{
	assert_int_equal(write_raw(NULL), -1);
	assert_fault(&f, FAULT_IMAGE, what);
	raw_close(&raw);
}

/* Between the two readings somebody writes to the file, or the stick it is on is bad. */
static void changed_between_the_readings(void **state)
{
	static const size_t places[] = { 0, CHUNK - 1, CHUNK, 2 * CHUNK, LEN - 1 };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char what[128];

		open_raw(1);
		data[places[i]] ^= 4;
		write_file(rootfs_file, data, LEN);
		data[places[i]] ^= 4;
		(void)snprintf(what, sizeof(what),
			       "was not the same when read again, in the %d bytes from %zu on",
			       places[i] / CHUNK == 3 ? 5000 : CHUNK, places[i] / CHUNK * CHUNK);
		expect_changed(what);
		write_file(rootfs_file, data, LEN);
	}
}

static void grown_between_the_readings(void **state)
{
	open_raw(2);
	write_file(kernel_file, data, 0); /* a chunk is exactly full: nothing else would see it */
	write_file(kernel_file, kernel, KERNEL);
	assert_int_equal(truncate(kernel_file, KERNEL + 1), 0);
	expect_changed("kernel.bin: has grown since it was checked");
	open_raw(1);
	assert_int_equal(truncate(rootfs_file, LEN + 1), 0);
	expect_changed("rootfs.bin: has grown since it was checked");
}

static void shrunk_between_the_readings(void **state)
{
	open_raw(1);
	assert_int_equal(truncate(rootfs_file, LEN - 1), 0);
	expect_changed("rootfs.bin: was not the same when read again, in the 5000 bytes from");
	write_file(rootfs_file, data, LEN);
	open_raw(1);
	assert_int_equal(truncate(rootfs_file, CHUNK), 0);
	expect_changed("was not the same when read again, in the 131072 bytes from 131072 on");
	write_file(rootfs_file, data, LEN);
	open_raw(1);
	assert_int_equal(truncate(rootfs_file, 0), 0);
	expect_changed("was not the same when read again, in the 131072 bytes from 0 on");
}

static void packed_file_changed_between_the_readings(void **state)
{
	size_t len;
	uint8_t *file;

	pack_file();
	file = read_file(rootfs_file, &len);
	open_raw(1);
	assert_int_equal(truncate(rootfs_file, (off_t)len - 1), 0);
	expect_changed("cut short");
	write_file(rootfs_file, file, len);
	open_raw(1);
	len += gzip_pack(data, 1, packed, sizeof(packed)); /* one more member, of one byte */
	file = realloc(file, len);
	assert_non_null(file);
	memcpy(file + len - gzip_pack(data, 1, packed, sizeof(packed)), packed,
	       gzip_pack(data, 1, packed, sizeof(packed)));
	write_file(rootfs_file, file, len);
	expect_changed("has grown since it was checked");
	free(file);
}

/* Another file under the same name is not what is read: the one that was checked is still open. */
static void replaced_between_the_readings(void **state)
{
	open_raw(1);
	write_text(temp_path("other"), "something else");
	assert_int_equal(rename(temp_path("other"), rootfs_file), 0);
	assert_int_equal(write_raw(NULL), 0);
	expect_image(1);
	raw_close(&raw);
}

static unsigned int asked;

static int twice(void)
{
	return ++asked < 2;
}

static void interrupted(void **state)
{
	open_raw(1);
	asked = 0;
	assert_int_equal(write_raw(twice), -1);
	assert_fault(&f, FAULT_FAILED, "interrupted");
	assert_int_equal(asked, 2);
	raw_close(&raw);
}

static void full_disk(void **state)
{
	open_raw(1);
	disk_full = true;
	assert_int_equal(write_raw(NULL), -1);
	disk_full = false;
	assert_fault(&f, FAULT_FAILED, "cannot write the copy of the image: No space left");
	raw_close(&raw);
}

static uint64_t told, told_total;

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	assert_ptr_equal(ctx, &told);
	assert_true(done >= told && done <= total);
	told = done;
	told_total = total;
}

static void tells_progress(void **state)
{
	told = told_total = 0;
	assert_int_equal(raw_open(&raw, input, 2, on_progress, &told, &f), 0);
	raw_close(&raw);
	assert_int_equal(told, LEN + KERNEL);
	assert_int_equal(told_total, LEN + KERNEL);
}

static void without_memory(void **state)
{
	int failures = 0, result;

	do {
		allocations_left = failures;
		result = raw_open(&raw, input, 2, NULL, NULL, &f);
		allocations_left = -1;
		if (result < 0) {
			assert_fault(&f, FAULT_UNFIT, "no memory");
			failures++;
			raw_close(&raw);
		}
	} while (result < 0);
	assert_true(failures >= 2);
	allocations_left = 0;
	assert_int_equal(write_raw(NULL), -1);
	allocations_left = -1;
	assert_fault(&f, FAULT_UNFIT, "no memory to copy the image");
	raw_close(&raw);
}

#define raw_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		raw_test(one_file),
		raw_test(two_files),
		raw_test(packed_file),
		raw_test(packed_file_that_is_damaged),
		raw_test(names_that_are_not_gzip),
		raw_test(checksum_of_the_caller),
		raw_test(checksums_that_are_none),
		raw_test(sidecar_that_is_right),
		raw_test(sidecar_of_a_packed_file),
		raw_test(sidecar_that_is_wrong),
		raw_test(sidecar_that_is_malformed),
		raw_test(sidecar_counts_as_well),
		raw_test(files_that_cannot_be),
		raw_test(packed_file_of_nothing),
		raw_test(ubinized_file_as_it_is),
		raw_test(names_of_partitions),
		raw_test(options_of_payloads),
		raw_test(chunks_alone),
		raw_test(changed_between_the_readings),
		raw_test(grown_between_the_readings),
		raw_test(shrunk_between_the_readings),
		raw_test(packed_file_changed_between_the_readings),
		raw_test(replaced_between_the_readings),
		raw_test(interrupted),
		raw_test(full_disk),
		raw_test(tells_progress),
		raw_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
