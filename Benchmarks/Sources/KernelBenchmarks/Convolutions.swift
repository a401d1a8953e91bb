import Kernels

/// A convolution with bias, activation, mask and residual, as residual networks have it.
struct Layer {
    let convolution: PackedConvolution1D
    let length: Int
    private let x: UnsafeMutablePointer<Float>
    private let y: UnsafeMutablePointer<Float>
    private let epilogue: Epilogue

    init?(channels: Int, outputs: Int, dilation: Int, length: Int, residual: Bool = true) throws {
        guard
            let geometry = Convolution1D(
                inputChannels: channels,
                outputChannels: outputs,
                kernel: 5,
                dilation: dilation,
                padBegin: 2 * dilation,
                padEnd: 2 * dilation
            )
        else { return nil }
        convolution = try PackedConvolution1D(geometry, weights: buffer(geometry.weightCount))
        self.length = length
        x = buffer(channels * length)
        y = buffer(outputs * length)
        epilogue = Epilogue(
            scale: buffer(outputs),
            bias: buffer(outputs),
            activation: .relu,
            mask: buffer(length),
            residual: residual ? UnsafePointer(buffer(outputs * length)) : nil
        )
    }

    var operations: Double { 2 * Double(convolution.geometry.weightCount) * Double(length) }

    func channelsFirst() {
        convolution.channelsFirst(x, batch: 1, length: length, into: y, epilogue: epilogue)
    }
    func rows() { convolution.rows(x, length: length, into: y, epilogue: epilogue) }
}

/// Prints convolutions of 128 channels against the peak, and those of a small network in microseconds.
func convolutions(peak: Double) throws {
    print(
        "\nconvolution k=5, with bias, activation, mask, residual".left(58),
        "[C,L] GF/s".right(11),
        "of peak".right(8),
        "[L,C] GF/s".right(11),
        "of peak".right(8)
    )
    for length in [30, 300, 1200] {
        for dilation in [1, 2, 4, 8] {
            guard let layer = try Layer(channels: 128, outputs: 128, dilation: dilation, length: length)
            else { continue }
            let first = layer.operations / Measurement { layer.channelsFirst() }.median * 1e-9
            let last = layer.operations / Measurement { layer.rows() }.median * 1e-9
            print(
                "  128 channels, \(length) positions, dilation \(dilation)".left(57),
                fixed(first).right(11),
                (fixed(100 * first / peak, 0) + "%").right(8),
                fixed(last).right(11),
                (fixed(100 * last / peak, 0) + "%").right(8)
            )
        }
    }
    print(
        "\na small network's convolutions at 15 positions, us".left(58),
        "[C,L]".right(11),
        "[L,C]".right(20)
    )
    var total = (0.0, 0.0)
    for (channels, dilation) in [(12, 1), (64, 2), (64, 4)] {
        guard
            let layer = try Layer(
                channels: channels,
                outputs: 64,
                dilation: dilation,
                length: 15,
                residual: channels == 64
            )
        else { continue }
        let first = Measurement { layer.channelsFirst() }.median * 1e6
        let last = Measurement { layer.rows() }.median * 1e6
        total = (total.0 + first, total.1 + last)
        print(
            "  \(channels) to 64 channels, dilation \(dilation)".left(57),
            fixed(first, 2).right(11),
            fixed(last, 2).right(20)
        )
    }
    print("  together".left(57), fixed(total.0, 2).right(11), fixed(total.1, 2).right(20))
}

/// Prints the median microseconds of dilations 1, 2, 4 and 8 one after the other, for a script to read.
func chain(channels: Int, length: Int) throws {
    let layers = try [1, 2, 4, 8].compactMap { dilation in
        try Layer(channels: channels, outputs: channels, dilation: dilation, length: length)
    }
    let measurement = Measurement { for layer in layers { layer.channelsFirst() } }
    print(fixed(measurement.median * 1e6, 2))
}
