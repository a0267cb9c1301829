#include "loader/script.h"
#include "testsuites/unit/loader_elf_corpus.h"
#include "testsuites/unit/loader_room.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct loader_room room;

static void set_up(void) {
  struct dz_elf_file program = dz_elf_program(0x400000, NULL);

  loader_room_make(&room, 1 << 30);
  loader_room_write(&room, "end", program.bytes, program.size, 0755);
  loader_room_write(&room, "unexecutable", program.bytes, program.size, 0644);
  dz_elf_free(&program);
}

static void tear_down(void) {
  loader_room_remove(&room);
}

TestSuite(loader_script, .init = set_up, .fini = tear_down);

static char *const arguments[] = {"zeroth", "first", "", NULL};

static void compare_line(const char *line, size_t size, const char *what) {
  loader_room_write(&room, "script", line, size, 0755);
  loader_compare(&room, what, "./script", arguments);
}

Test(loader_script, first_lines_are_read_as_the_kernel_reads_them) {
#define LINE(text)                                                                                 \
  { (text), sizeof(text) - 1 }
  static const struct {
    const char *text;
    size_t size;
  } lines[] = {
      LINE(""),
      LINE("#"),
      LINE("#!"),
      LINE("#!\n"),
      LINE("#! \t\n"),
      LINE("#!  "),
      LINE("#!\0\n"),
      LINE("#! \0end\n"),
      LINE("#!end"),
      LINE("#!end\n"),
      LINE("#!./end\n"),
      LINE("#! \t ./end \t \n"),
      LINE("#!./end one\n"),
      LINE("#!./end one\nmore"),
      LINE("#!./end  one two\t three \t\n"),
      LINE("#!./end \0 one\n"),
      LINE("#!./end one\0two\n"),
      LINE("#!./end\0one\n"),
      LINE("#!./end\r\n"),
      LINE("#!./end one\r\n"),
      LINE("#!./missing\n"),
      LINE("#!./unexecutable\n"),
      LINE("#!.\n"),
      LINE("#!./end/below\n"),
      LINE(" #!./end\n"),
      LINE("#\n!./end\n"),
      LINE("no script"),
  };
  size_t i;

  for (i = 0; i < DZ_ARRAY_SIZE(lines); i++)
    compare_line(lines[i].text, lines[i].size, lines[i].text);
}

/* "#!", blanks, slashes up to length bytes in all, "./end" in front of them, then tail. */
static void compare_long(size_t length, const char *tail, size_t tail_size) {
  char line[1024], what[64];
  size_t i;

  memcpy(line, "#!.", 3);
  for (i = 3; i < length - 3; i++)
    line[i] = '/';
  memcpy(line + length - 3, "end", 3);
  memcpy(line + length, tail, tail_size);
  snprintf(what, sizeof what, "%zu bytes and %zu more", length, tail_size);
  compare_line(line, length + tail_size, what);
}

Test(loader_script, names_cut_at_256_bytes_are_not_executed_but_arguments_are_passed) {
  size_t length;

  for (length = 240; length <= 260; length++) {
    compare_long(length, "", 0);
    compare_long(length, "\n", 1);
    compare_long(length, " \n", 2);
    compare_long(length, " a\n", 3);
    compare_long(length, " an argument beyond the end", 27);
    compare_long(length, "\t                  \n", 20);
    compare_long(length, "\0\n", 2);
  }
}

Test(loader_script, a_line_of_blanks_without_an_end_names_nobody) {
  char line[300];

  memset(line, ' ', sizeof line);
  memcpy(line, "#!", 2);
  compare_line(line, sizeof line, "300 blanks");
  line[255] = 'x';
  compare_line(line, sizeof line, "a name at the last byte");
  line[254] = 'x';
  compare_line(line, sizeof line, "a name at the last two bytes");
}

Test(loader_script, five_scripts_in_a_row_are_followed_and_six_are_ELOOP) {
  char name[32], line[64];
  int i;

  loader_room_write(&room, "s0", "#!./end -0\n", 11, 0755);
  for (i = 1; i < 8; i++) {
    snprintf(name, sizeof name, "s%d", i);
    snprintf(line, sizeof line, i % 2 ? "#!./s%d\n" : "#!./s%d -%d\n", i - 1, i);
    loader_room_write(&room, name, line, strlen(line), 0755);
  }
  for (i = 0; i < 8; i++) {
    snprintf(name, sizeof name, "./s%d", i);
    loader_compare(&room, name, name, arguments);
  }
}

Test(loader_script, the_name_of_a_missing_interpreter_is_told) {
  struct loader_outcome outcome;
  struct dz_error error = {0};

  loader_room_write(&room, "script", "#!/no/such thing\n", 17, 0755);
  loader_plan_execute(&room, "./script", arguments, &outcome, &error);
  cr_assert_eq(outcome.error, -ENOENT);
  cr_assert_str_eq(error.text, "/no/such, the interpreter of ./script, does not exist in the root "
                               "filesystem");
}

Test(loader_script, comm_is_the_name_of_the_script_cut_to_15_bytes) {
  struct loader_outcome outcome;

  loader_room_write(&room, "a-script-with-a-long-name", "#!./end\n", 8, 0755);
  loader_plan_execute(&room, "./a-script-with-a-long-name", arguments, &outcome, NULL);
  cr_assert_eq(outcome.error, 0);
  cr_assert_str_eq(outcome.comm, "a-script-with-a\n");
}
