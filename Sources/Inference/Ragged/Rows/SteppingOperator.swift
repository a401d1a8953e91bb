/// An operator over packed rows that takes steps of all sequences side by side, each cheaper the more of them there are.
///
/// Others lose nothing if a large batch is run in parts.
protocol SteppingOperator {}
