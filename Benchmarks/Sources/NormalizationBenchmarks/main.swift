import Foundation
import Statistics
import TensorCore

// The other side of versus_torch_batch_norm.py. Reads one command a line and answers each with one:
//   load FILE CHANNELS LENGTH LENGTHS   float32 [B, C, L] as raw bytes; LENGTHS are the B valid lengths, comma-separated
//   train|evaluate|into|in-place|copy SECONDS   microseconds of this thread for one repetition, after about SECONDS of them;
//                                       into evaluates into one tensor, in-place its own last result
//   output train|evaluate|into|in-place FILE    writes the result as raw bytes

/// One batch, and the normalization that is measured on it.
struct Workload {
    let x: Tensor
    let mask: Tensor
    /// Trained on the batch once.
    let trained: MaskedBatchNorm
    var norm: MaskedBatchNorm
    var copy: Tensor
    /// What evaluation in place overwrites.
    var activations: Tensor
    /// What evaluation into memory of the caller's fills; 0 at padding from the beginning.
    var output: Tensor

    init(file: String, channels: Int, length: Int, lengths: [Int]) throws {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        let shape = try Shape(checking: [lengths.count, channels, length])
        guard bytes.count == 4 * shape.elementCount else { throw CocoaError(.fileReadCorruptFile) }
        var x = Tensor(uninitialized: .float32, shape: shape)
        x.withMutableBytes { _ = bytes.copyBytes(to: $0) }
        self.x = x
        let mask = try SequenceMask(lengths: lengths).tensor(elementType: .float32)
        self.mask = mask
        copy = Tensor(repeating: Float(0), shape: shape)
        var activations = Tensor(repeating: Float(0), shape: shape)
        x.withBytes { source in activations.withMutableBytes { $0.copyMemory(from: source) } }
        self.activations = activations
        output = Tensor(repeating: Float(0), shape: shape)
        var norm = try MaskedBatchNorm(
            channels: channels,
            scale: [Float](repeating: 1, count: channels),
            bias: [Float](repeating: 0, count: channels),
            running: .pytorch(.pytorchMomentum(0.1))
        )
        _ = try norm.train(x, mask: .tensor(mask))
        trained = norm
        self.norm = norm
    }

    mutating func run(_ work: String) throws {
        switch work {
        case "train": _ = try norm.train(x, mask: .tensor(mask))
        case "evaluate": _ = try trained.evaluate(x, mask: .tensor(mask))
        case "into": try trained.evaluate(x, into: &output, mask: .tensor(mask))
        case "in-place": try trained.evaluate(inPlace: &activations, mask: .tensor(mask))
        case "copy":
            x.withBytes { source in copy.withMutableBytes { $0.copyMemory(from: source) } }
        default: throw CocoaError(.featureUnsupported)
        }
    }

    mutating func microseconds(_ work: String, seconds: Double) throws -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        try run(work)
        var count = 0
        let start = now()
        while now() - start < seconds {
            try run(work)
            count += 1
        }
        return (now() - start) / Double(count) * 1e6
    }

    mutating func output(_ work: String) throws -> Data {
        var (norm, y) = (trained, x)
        switch work {
        case "train": y = try norm.train(x, mask: .tensor(mask)).output
        case "evaluate": y = try norm.evaluate(x, mask: .tensor(mask))
        case "into":
            y = Tensor(repeating: Float(0), shape: x.shape)
            try norm.evaluate(x, into: &y, mask: .tensor(mask))
        case "in-place": try norm.evaluate(inPlace: &y, mask: .tensor(mask))
        default: throw CocoaError(.featureUnsupported)
        }
        return y.withBytes { Data($0) }
    }
}

func answer(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }

var workload: Workload?
while let line = readLine() {
    let words = line.split(separator: " ").map(String.init)
    switch (words.first, words.count) {
    case ("load", 5):
        workload = try Workload(
            file: words[1],
            channels: Int(words[2]) ?? 0,
            length: Int(words[3]) ?? 0,
            lengths: words[4].split(separator: ",").compactMap { Int($0) }
        )
        answer("loaded")
    case ("output", 3):
        try workload?.output(words[1]).write(to: URL(fileURLWithPath: words[2]))
        answer("written")
    case (let work?, 2): answer("\(try workload?.microseconds(work, seconds: Double(words[1]) ?? 0) ?? 0)")
    default: exit(2)
    }
}
