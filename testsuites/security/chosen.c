/* Not an attack: the program that attacks on exec ask for. */
#include <unistd.h>

int main(void) {
  _exit(42);
}
