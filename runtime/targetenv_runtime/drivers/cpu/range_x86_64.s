# A range entry for functions that compute one workgroup and have none; `ranges.py` holds it as bytes, a test assembles this file
# and compares. System V ABI, position independent, no data.
        .intel_syntax noprefix
        .text

# int range(const environment *, const dispatch *, uint64_t first, uint64_t last), the function in rax
# Computes the workgroups first <= i < last, x fastest, then y, then z; 0, or the first other number that the function returns.
# The stack has a targetenv_workgroup_t: id x, y, z, reserved, processor, local memory, its size.
range:
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
        sub     rsp, 40                 # the stack is a multiple of 16 again
        mov     r12, rax
        mov     r13, rdi
        mov     rbx, rsi
        mov     r14, rdx
        mov     r15, rcx
        xor     eax, eax
        cmp     r14, r15
        jae     1f
        mov     rax, r14
        xor     edx, edx
        mov     ecx, [rbx + 12]
        div     rcx
        mov     [rsp], edx
        xor     edx, edx
        mov     ecx, [rbx + 16]
        div     rcx
        mov     [rsp + 4], edx
        mov     [rsp + 8], eax          # below 65536: the upper half is the reserved field
        mov     dword ptr [rsp + 12], 0
        mov     rax, [rbx + 48]
        mov     [rsp + 16], rax
        mov     rax, [rbx + 56]
        mov     [rsp + 24], rax
0:      mov     rdi, r13
        mov     rsi, rbx
        mov     rdx, rsp
        call    r12
        test    eax, eax
        jnz     1f
        inc     r14
        cmp     r14, r15
        jae     1f
        inc     dword ptr [rsp]
        mov     eax, [rsp]
        cmp     eax, [rbx + 12]
        jb      0b
        mov     dword ptr [rsp], 0
        inc     dword ptr [rsp + 4]
        mov     eax, [rsp + 4]
        cmp     eax, [rbx + 16]
        jb      0b
        mov     dword ptr [rsp + 4], 0
        inc     dword ptr [rsp + 8]
        jmp     0b
1:      add     rsp, 40
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
        ret
