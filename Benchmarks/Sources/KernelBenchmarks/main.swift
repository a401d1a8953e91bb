import Kernels

// Without arguments, everything; `chain CHANNELS LENGTH` prints one number for versus_onnxruntime_convolution.py.
let arguments = CommandLine.arguments
if arguments.count == 4, arguments[1] == "chain", let channels = Int(arguments[2]),
    let length = Int(arguments[3])
{
    try chain(channels: channels, length: length)
} else {
    let reference = peak()
    print("instruction set \(InstructionSet.active), peak of dnnl_sgemm now \(fixed(reference)) GF/s")
    try products()
    try convolutions(peak: reference)
    try passes()
}
